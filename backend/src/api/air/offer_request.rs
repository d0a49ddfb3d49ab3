//! A search: the body that asks for it, its validation, and its answer.

use super::offer::{Mode, Offer};
use super::place::Place;
use super::{CabinClass, Names, PassengerType, passenger_id};
use crate::api::code::Code;
use crate::api::error::{ApiError, Problems};
use crate::clock::Timestamp;
use crate::ids::OfferRequestId;
use crate::shopping::offer::{Cabin, PassengerKind};
use crate::shopping::request::MOST_SLICES;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seats that can be sold in one order.
const MAX_SEATS: usize = 9;
const MAX_DAYS_AHEAD: i64 = 361;
const DEFAULT_CONNECTIONS: u8 = 1;

/// Fields that are not listed are ignored: other platforms take more.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateOfferRequest {
    pub slices: Vec<CreateSlice>,
    pub passengers: Vec<CreatePassenger>,
    pub cabin_class: Option<CabinClass>,
    /// Changes of aircraft in one slice: 0, 1 or 2.
    pub max_connections: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = CreateOfferRequestSlice)]
pub struct CreateSlice {
    /// IATA code of an airport or a city.
    #[schema(example = "PEK")]
    pub origin: String,
    #[schema(example = "SHA")]
    pub destination: String,
    #[schema(example = "2026-12-10")]
    pub departure_date: String,
    pub departure_time: Option<CreateTimeRange>,
    pub arrival_time: Option<CreateTimeRange>,
}

/// Local times from and to, both included.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateTimeRange {
    #[schema(example = "06:00")]
    pub from: String,
    #[schema(example = "12:00")]
    pub to: String,
}

/// A passenger has a type or an age, not both.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = CreateOfferRequestPassenger)]
pub struct CreatePassenger {
    #[serde(rename = "type")]
    pub kind: Option<PassengerType>,
    /// Age in years on the first day of travel.
    pub age: Option<i64>,
    /// Accepted and not used.
    pub fare_type: Option<String>,
}

/// A search whose every field has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub slices: Vec<SearchSlice>,
    pub passengers: Vec<SearchPassenger>,
    pub cabin: Option<Cabin>,
    pub max_connections: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchSlice {
    pub origin: String,
    pub destination: String,
    pub date: NaiveDate,
    pub departure_time: Option<TimeRange>,
    pub arrival_time: Option<TimeRange>,
}

/// Both ends included, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    pub from: NaiveTime,
    pub to: NaiveTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchPassenger {
    pub kind: PassengerKind,
    pub age: Option<u8>,
}

impl CreateOfferRequest {
    /// Checks everything that can be known before flights are looked up and names all that is wrong.
    pub fn validate(&self, names: &dyn Names, now: Timestamp) -> Result<Search, ApiError> {
        let mut problems = Problems::default();
        let slices = self.slices(names, now, &mut problems);
        let passengers = self.passengers(&mut problems);
        let asked = self.max_connections.unwrap_or(i64::from(DEFAULT_CONNECTIONS));
        let max_connections = u8::try_from(asked).ok().filter(|connections| *connections <= 2);
        if max_connections.is_none() {
            problems.add(Code::InvalidValue, "/data/max_connections", "`max_connections` is 0, 1 or 2.");
        }
        problems.finish()?;
        let cabin = self.cabin_class.map(Cabin::from);
        Ok(Search { slices, passengers, cabin, max_connections: max_connections.unwrap_or(DEFAULT_CONNECTIONS) })
    }

    fn slices(&self, names: &dyn Names, now: Timestamp, problems: &mut Problems) -> Vec<SearchSlice> {
        if self.slices.is_empty() || self.slices.len() > MOST_SLICES {
            let code = if self.slices.is_empty() { Code::InvalidSearch } else { Code::TooManyCoupons };
            problems.add(code, "/data/slices", format!("A search has 1 to {MOST_SLICES} slices."));
            return Vec::new();
        }
        let mut slices: Vec<SearchSlice> = Vec::with_capacity(self.slices.len());
        for (position, body) in self.slices.iter().enumerate() {
            let pointer = format!("/data/slices/{position}");
            let Some(slice) = body.read(&pointer, names, now, problems) else { continue };
            if slices.last().is_some_and(|before| before.date > slice.date) {
                let message = "A slice cannot depart before the one in front of it.";
                problems.add(Code::InvalidSearch, format!("{pointer}/departure_date"), message);
            }
            slices.push(slice);
        }
        slices
    }

    fn passengers(&self, problems: &mut Problems) -> Vec<SearchPassenger> {
        let mut passengers = Vec::with_capacity(self.passengers.len());
        for (position, body) in self.passengers.iter().enumerate() {
            match body.read() {
                Ok(passenger) => passengers.push(passenger),
                Err(message) => problems.add(Code::InvalidValue, format!("/data/passengers/{position}"), message),
            }
        }
        if passengers.len() == self.passengers.len()
            && let Err(message) = check_party(&passengers)
        {
            problems.add(Code::InvalidSearch, "/data/passengers", message);
        }
        passengers
    }
}

impl CreateSlice {
    pub(super) fn read(&self, pointer: &str, names: &dyn Names, now: Timestamp, problems: &mut Problems) -> Option<SearchSlice> {
        let origin = place(names, &self.origin, &format!("{pointer}/origin"), problems);
        place(names, &self.destination, &format!("{pointer}/destination"), problems);
        if self.origin == self.destination {
            let message = "Origin and destination are the same.";
            problems.add(Code::InvalidSearch, format!("{pointer}/destination"), message);
        }
        let departure_time = time_range(self.departure_time.as_ref(), &format!("{pointer}/departure_time"), problems);
        let arrival_time = time_range(self.arrival_time.as_ref(), &format!("{pointer}/arrival_time"), problems);
        let Some(date) = date(&self.departure_date) else {
            let message = "A date is written as `2026-12-31`.";
            problems.add(Code::InvalidValue, format!("{pointer}/departure_date"), message);
            return None;
        };
        let today = now.date_in(origin.as_ref().map_or(Tz::UTC, zone));
        if date < today || (date - today).num_days() > MAX_DAYS_AHEAD {
            let message = format!("The departure is from today, {today} at the origin, to {MAX_DAYS_AHEAD} days ahead.");
            problems.add(Code::InvalidSearch, format!("{pointer}/departure_date"), message);
        }
        let (origin, destination) = (self.origin.clone(), self.destination.clone());
        Some(SearchSlice { origin, destination, date, departure_time, arrival_time })
    }
}

impl CreatePassenger {
    fn read(&self) -> Result<SearchPassenger, &'static str> {
        match (self.kind, self.age) {
            (Some(_), Some(_)) => Err("A passenger has `type` or `age`, not both."),
            (Some(kind), None) => Ok(SearchPassenger { kind: kind.into(), age: None }),
            (None, Some(age)) => match u8::try_from(age).ok().filter(|age| *age <= 120) {
                Some(age) => Ok(SearchPassenger { kind: kind_of_age(age), age: Some(age) }),
                None => Err("`age` is a number of years from 0 to 120."),
            },
            (None, None) if self.fare_type.is_some() => Ok(SearchPassenger { kind: PassengerKind::Adult, age: None }),
            (None, None) => Err("A passenger has `type` or `age`."),
        }
    }
}

/// Adult from 12 years, child from 2.
pub fn kind_of_age(age: u8) -> PassengerKind {
    match age {
        0..=1 => PassengerKind::Infant,
        2..=11 => PassengerKind::Child,
        _ => PassengerKind::Adult,
    }
}

fn check_party(passengers: &[SearchPassenger]) -> Result<(), String> {
    let count = |kind: PassengerKind| passengers.iter().filter(|passenger| passenger.kind == kind).count();
    let (adults, infants) = (count(PassengerKind::Adult), count(PassengerKind::Infant));
    let seats = passengers.len() - infants;
    if seats > MAX_SEATS || passengers.is_empty() {
        return Err(format!("A search is for 1 to {MAX_SEATS} passengers with a seat."));
    }
    if adults == 0 {
        return Err("Children and infants travel with an adult.".to_owned());
    }
    if infants > adults {
        return Err("Every infant sits on the lap of an adult of its own.".to_owned());
    }
    Ok(())
}

fn place(names: &dyn Names, code: &str, pointer: &str, problems: &mut Problems) -> Option<Place> {
    let found = Place::find(names, code);
    if found.is_none() {
        let shown: String = code.chars().take(16).collect();
        problems.add(Code::InvalidSearch, pointer, format!("`{shown}` is not the IATA code of a known airport or city."));
    }
    found
}

fn zone(place: &Place) -> Tz {
    let airport = match place {
        Place::Airport(airport) => Some(airport.as_ref()),
        Place::City(city) => city.airports.first(),
    };
    airport.and_then(|airport| airport.time_zone.parse().ok()).unwrap_or(Tz::UTC)
}

fn time_range(body: Option<&CreateTimeRange>, pointer: &str, problems: &mut Problems) -> Option<TimeRange> {
    let body = body?;
    let time =
        |text: &str| NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok();
    match (time(&body.from), time(&body.to)) {
        (Some(from), Some(to)) if from <= to => Some(TimeRange { from, to }),
        _ => {
            problems.add(Code::InvalidValue, pointer, "A range of times is written as `06:00` to `23:59` of one day.");
            None
        }
    }
}

/// Strictly `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    plain.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// A search as it is shown, with its offers where they were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferRequest {
    #[schema(example = "orq_0d3k8w2m5q7ha")]
    pub id: String,
    pub live_mode: bool,
    pub created_at: String,
    pub cabin_class: Option<CabinClass>,
    pub slices: Vec<OfferRequestSlice>,
    pub passengers: Vec<OfferRequestPassenger>,
    pub offers: Vec<Offer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferRequestSlice {
    pub origin_type: &'static str,
    pub origin: Place,
    pub destination_type: &'static str,
    pub destination: Place,
    pub departure_date: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferRequestPassenger {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: PassengerType,
    pub age: Option<u8>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub loyalty_programme_accounts: [(); 0],
}

#[derive(Clone, Copy, Debug)]
pub struct OfferRequestFacts {
    pub id: OfferRequestId,
    pub mode: Mode,
    pub created_at: Timestamp,
}

impl OfferRequest {
    pub fn new(search: &Search, facts: OfferRequestFacts, offers: Vec<Offer>, names: &dyn Names) -> Self {
        let slice = |slice: &SearchSlice| {
            let (origin, destination) = (Place::named(names, &slice.origin), Place::named(names, &slice.destination));
            OfferRequestSlice {
                origin_type: origin.kind(),
                origin,
                destination_type: destination.kind(),
                destination,
                departure_date: slice.date.to_string(),
            }
        };
        let passenger = |(position, passenger): (usize, &SearchPassenger)| OfferRequestPassenger {
            id: passenger_id(facts.id, position).to_string(),
            kind: passenger.kind.into(),
            age: passenger.age,
            given_name: None,
            family_name: None,
            loyalty_programme_accounts: [],
        };
        OfferRequest {
            id: facts.id.to_string(),
            live_mode: facts.mode.is_live(),
            created_at: facts.created_at.to_string(),
            cabin_class: search.cabin.map(CabinClass::from),
            slices: search.slices.iter().map(slice).collect(),
            passengers: search.passengers.iter().enumerate().map(passenger).collect(),
            offers,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::Catalogue;
    use super::*;
    use crate::api::envelope::parse;
    use crate::ids::Id;
    use chrono::TimeZone;
    use serde_json::{Value, json, to_value};

    /// Late evening of 1 December in UTC, so that it is the 2nd in China.
    fn now() -> Timestamp {
        Timestamp::from(chrono::Utc.with_ymd_and_hms(2026, 12, 1, 20, 0, 0).unwrap())
    }

    fn search(data: &Value) -> Result<Search, ApiError> {
        let body: CreateOfferRequest = parse(json!({ "data": data }).to_string().as_bytes())?;
        body.validate(&Catalogue::small(), now())
    }

    fn places(data: &Value) -> Vec<(Code, String)> {
        search(data).unwrap_err().items().iter().map(|item| (item.code, item.pointer().unwrap().to_owned())).collect()
    }

    fn slice(origin: &str, destination: &str, date: &str) -> Value {
        json!({"origin": origin, "destination": destination, "departure_date": date})
    }

    #[test]
    fn a_return_trip_for_a_family_is_read() {
        let there = json!({
            "origin": "BJS", "destination": "PVG", "departure_date": "2026-12-02",
            "departure_time": {"from": "06:00", "to": "12:00:00"}, "arrival_time": null
        });
        let people = json!([{"type": "adult"}, {"age": 12}, {"age": 11}, {"age": 1}, {"fare_type": "student"}]);
        let body = json!({
            "slices": [there, slice("PVG", "BJS", "2026-12-20")], "passengers": people,
            "cabin_class": "premium_economy", "max_connections": 0, "private_fares": {}
        });
        let search = search(&body).unwrap();
        let kinds: Vec<PassengerKind> = search.passengers.iter().map(|passenger| passenger.kind).collect();
        use PassengerKind::{Adult, Child, Infant};
        assert_eq!(kinds, [Adult, Adult, Child, Infant, Adult]);
        assert_eq!((search.cabin, search.max_connections), (Some(Cabin::PremiumEconomy), 0));
        assert_eq!(search.slices[0].departure_time.unwrap().to, NaiveTime::from_hms_opt(12, 0, 0).unwrap());

        let id = OfferRequestId::of(500);
        let facts = OfferRequestFacts { id, mode: Mode::Live, created_at: now() };
        let shown = to_value(OfferRequest::new(&search, facts, Vec::new(), &Catalogue::small())).unwrap();
        assert_eq!((&shown["slices"][0]["origin_type"], &shown["slices"][1]["origin_type"]), (&json!("city"), &json!("airport")));
        assert_eq!(shown["passengers"][1]["id"], json!(passenger_id(id, 1).to_string()));
        assert_eq!((&shown["live_mode"], &shown["cabin_class"]), (&json!(true), &json!("premium_economy")));
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let body = json!({
            "slices": [slice("XXX", "PVG", "2026-12-10"), slice("PVG", "PVG", "2026-12-09")],
            "passengers": [{"type": "adult", "age": 30}, {}, {"age": -1}],
            "max_connections": 3
        });
        let found = places(&body);
        let expected = [
            (Code::InvalidSearch, "/data/slices/0/origin"),
            (Code::InvalidSearch, "/data/slices/1/destination"),
            (Code::InvalidSearch, "/data/slices/1/departure_date"),
            (Code::InvalidValue, "/data/passengers/0"),
            (Code::InvalidValue, "/data/passengers/1"),
            (Code::InvalidValue, "/data/passengers/2"),
            (Code::InvalidValue, "/data/max_connections"),
        ];
        assert_eq!(found, expected.map(|(code, pointer)| (code, pointer.to_owned())));
    }

    #[test]
    fn today_is_the_date_at_the_origin() {
        let on = |date: &str| search(&json!({"slices": [slice("PEK", "PVG", date)], "passengers": [{"type": "adult"}]}));
        assert!(on("2026-12-02").is_ok());
        for wrong in ["2026-12-01", "2028-01-01", "2026-2-3", "2026-02-30", "+2026-12-1", ""] {
            assert!(on(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_party_needs_enough_adults_and_fits_one_order() {
        let with = |people: &Value| search(&json!({"slices": [slice("PEK", "PVG", "2026-12-10")], "passengers": people}));
        let adult = json!({"type": "adult"});
        let infant = json!({"type": "infant_without_seat"});
        assert!(with(&json!([adult, infant])).is_ok());
        assert!(with(&Value::Array(vec![adult.clone(); 9])).is_ok());
        for wrong in [json!([]), json!([{"age": 8}]), json!([adult, infant, infant]), Value::Array(vec![adult.clone(); 10])] {
            assert_eq!(with(&wrong).unwrap_err().code(), Code::InvalidSearch, "{wrong}");
        }
        let none = json!({"slices": [], "passengers": [adult]});
        assert_eq!(places(&none), [(Code::InvalidSearch, "/data/slices".to_owned())]);
    }
}
