//! Seat buckets: the seats of one booking class on one departure. A bucket's id is an exact packing of what it names, so that a row in
//! the database needs no other key and an id can always be read back. How many seats a bucket has follows from aircraft and ladder
//! alone; how many are sold is the caller's to know.

use super::aircraft::Aircraft;
use super::fares::Ladder;
use super::{AirportCode, BookingClass, Cabin, CarrierCode, Departure, Flight};
use chrono::{Days, NaiveDate};

/// Bits from the top: days since 2025-01-01 (14), carrier (11), flight number (14), origin (15), booking class (5). The date is
/// first, so that buckets which are written together lie together in an index. 59 bits: always a positive number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketId(i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    pub carrier: CarrierCode,
    pub flight_number: u16,
    pub origin: AirportCode,
    /// Local date of departure.
    pub date: NaiveDate,
    pub class: BookingClass,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    #[error("a bucket's departure lies between 2025-01-01 and 2069-11-09")]
    Date,
    #[error("a flight number has at most four digits")]
    FlightNumber,
    #[error("this number is not the id of a bucket")]
    NotABucket,
}

const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
const DATE_BITS: u32 = 14;
const CARRIER_BITS: u32 = 11;
const NUMBER_BITS: u32 = 14;
const ORIGIN_BITS: u32 = 15;
const CLASS_BITS: u32 = 5;

impl Bucket {
    pub fn id(self) -> Result<BucketId, BucketError> {
        let days = self.date.signed_duration_since(FIRST_DAY).num_days();
        if !(0..1 << DATE_BITS).contains(&days) {
            return Err(BucketError::Date);
        }
        if self.flight_number > 9_999 {
            return Err(BucketError::FlightNumber);
        }
        let carrier = <[u8; 2]>::from(self.carrier).into_iter().fold(0, |value, byte| value * 36 + alphanumeric(byte));
        let origin = <[u8; 3]>::from(self.origin).into_iter().fold(0, |value, byte| value * 26 + i64::from(byte - b'A'));
        let class = i64::from(u32::from(self.class.letter()) - u32::from('A')) + 1;
        let mut id = days;
        for (value, bits) in
            [(carrier, CARRIER_BITS), (i64::from(self.flight_number), NUMBER_BITS), (origin, ORIGIN_BITS), (class, CLASS_BITS)]
        {
            id = (id << bits) | value;
        }
        Ok(BucketId(id))
    }
}

impl BucketId {
    /// Reads an id from the database; a number that no bucket packs to is refused.
    pub fn from_raw(raw: i64) -> Result<Self, BucketError> {
        let id = BucketId(raw);
        id.bucket().map(|_| id)
    }

    pub fn raw(self) -> i64 {
        self.0
    }

    pub fn bucket(self) -> Result<Bucket, BucketError> {
        self.unpack().ok_or(BucketError::NotABucket)
    }

    fn unpack(self) -> Option<Bucket> {
        let mut rest = self.0;
        let mut take = |bits: u32| {
            let value = rest & ((1 << bits) - 1);
            rest >>= bits;
            value
        };
        let class = take(CLASS_BITS);
        let origin = take(ORIGIN_BITS);
        let number = take(NUMBER_BITS);
        let carrier = take(CARRIER_BITS);
        let days = take(DATE_BITS);
        let letter = |value: i64| u8::try_from(value).ok().map(|value| char::from(b'A' + value));
        let origin: Option<String> = [origin / 676, origin / 26 % 26, origin % 26].into_iter().map(letter).collect();
        let carrier: Option<String> =
            [carrier / 36, carrier % 36].into_iter().map(|value| char::from_digit(u32::try_from(value).ok()?, 36)).collect();
        let bucket = Bucket {
            carrier: CarrierCode::parse(&carrier?.to_ascii_uppercase())?,
            flight_number: u16::try_from(number).ok()?,
            origin: AirportCode::parse(&origin?)?,
            date: FIRST_DAY.checked_add_days(Days::new(u64::try_from(days).ok()?))?,
            class: BookingClass::parse(letter(class.checked_sub(1).filter(|class| (0..26).contains(class))?)?)?,
        };
        // Two numbers never mean the same bucket: what packs to another id was not one.
        (bucket.id() == Ok(self)).then_some(bucket)
    }
}

/// The seats of a class on a departure. The classes of a cabin add up to its seats. On three of four days the cheapest one, two or
/// three economy classes are closed, which class depends on flight and day; their seats are sold in the class above.
pub fn capacity(aircraft: &Aircraft, ladder: &Ladder, flight: &Flight, departure: &Departure, class: BookingClass) -> i64 {
    let Some(rung) = ladder.rung(class) else { return 0 };
    let in_cabin: Vec<_> = ladder.rungs.iter().filter(|other| other.cabin == rung.cabin).collect();
    let closed = if rung.cabin == Cabin::Economy { closed_classes(flight, departure.date) } else { 0 };
    let open = in_cabin.len().saturating_sub(closed).max(1);
    let Some(position) = in_cabin.iter().position(|other| other.class == class).filter(|position| *position < open) else {
        return 0;
    };
    let total: i64 = in_cabin.iter().map(|other| i64::from(other.seat_share)).sum();
    let seats = i64::from(aircraft.seats(rung.cabin));
    let before: i64 = in_cabin.iter().take(position).map(|other| i64::from(other.seat_share)).sum();
    let through = if position + 1 == open { total } else { before + i64::from(rung.seat_share) };
    if total == 0 { 0 } else { seats * through / total - seats * before / total }
}

fn closed_classes(flight: &Flight, date: NaiveDate) -> usize {
    let days = date.signed_duration_since(FIRST_DAY).num_days();
    // Halved, because outbound flights have odd numbers and return flights even ones.
    usize::try_from((i64::from(flight.number) / 2 + days).rem_euclid(4)).unwrap_or(0)
}

fn alphanumeric(byte: u8) -> i64 {
    char::from(byte).to_digit(36).map_or(0, i64::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;
    use chrono::Duration;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_is_read_back_from_its_id(
            carrier in "[A-Z0-9]{2}", flight_number in 0u16..=9_999, origin in "[A-Z]{3}", days in 0u64..16_384, class in "[A-Z]",
        ) {
            let bucket = Bucket {
                carrier: CarrierCode::parse(&carrier).unwrap(),
                flight_number,
                origin: AirportCode::parse(&origin).unwrap(),
                date: FIRST_DAY + Days::new(days),
                class: BookingClass::parse(class.parse().unwrap()).unwrap(),
            };
            let id = bucket.id().unwrap();
            prop_assert!(id.raw() > 0);
            prop_assert_eq!(BucketId::from_raw(id.raw()), Ok(id));
            prop_assert_eq!(id.bucket(), Ok(bucket));
        }

        #[test]
        fn any_number_is_a_bucket_or_refused(raw in any::<i64>()) {
            if let Ok(id) = BucketId::from_raw(raw) {
                prop_assert_eq!(id.bucket().unwrap().id().unwrap().raw(), raw);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bucket = Bucket {
            carrier: CarrierCode::parse("CA").unwrap(),
            flight_number: 1501,
            origin: AirportCode::parse("PEK").unwrap(),
            date: date("2026-11-22"),
            class: BookingClass::parse('Y').unwrap(),
        };
        assert_eq!(Bucket { date: date("2024-12-31"), ..bucket }.id(), Err(BucketError::Date));
        assert_eq!(Bucket { flight_number: 10_000, ..bucket }.id(), Err(BucketError::FlightNumber));
        for raw in [0, -1, i64::MIN, i64::MAX, bucket.id().unwrap().raw() & !31] {
            assert_eq!(BucketId::from_raw(raw), Err(BucketError::NotABucket), "{raw}");
        }
    }

    #[test]
    fn the_classes_of_a_cabin_fill_it_exactly() {
        let catalogue = catalogue();
        for index in 0..4 {
            let day = date("2026-11-23") + Duration::days(index);
            for (flight_index, flight) in catalogue.schedules.from(AirportCode::parse("PEK").unwrap()) {
                let Some(departure) = catalogue.schedules.departure(&catalogue.airports, flight_index, day) else { continue };
                let aircraft = catalogue.aircraft.get(flight.aircraft).unwrap();
                let ladder = catalogue.fares.ladder(flight.carrier, day).unwrap();
                for cabin in [Cabin::First, Cabin::Business, Cabin::Economy] {
                    let classes = ladder.rungs.iter().filter(|rung| rung.cabin == cabin);
                    let seats: i64 = classes.map(|rung| capacity(aircraft, ladder, flight, &departure, rung.class)).sum();
                    assert_eq!(seats, i64::from(aircraft.seats(cabin)), "{flight:?} {cabin:?}");
                }
            }
        }
    }
}
