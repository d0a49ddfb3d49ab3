//! Private fares: what one agency pays instead of the published fare of a class on a carrier and route. The operator files them; a version
//! is never changed, and the next one under the same code takes its place. They are adult fares: children and infants pay their share of
//! the published full fare as on any ticket.

use super::{Airport, BookingClass, CarrierCode, Period};
use crate::db::schema::private_fare;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, PrivateFareId};
use crate::money::{Currency, Money, MoneyError, Rate};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

rows! {
    pub struct PrivateFareRow in private_fare {
        id: i64,
        agency_id: i64,
        code: String,
        version: i64,
        kind: String,
        carrier: String,
        origin: String,
        destination: String,
        classes: String,
        adjustment: String,
        percent: Option<i64>,
        amount_minor: Option<i64>,
        currency: String,
        least_travellers: i64,
        effective_from: NaiveDate,
        effective_until: Option<NaiveDate>,
        travel_from: Option<NaiveDate>,
        travel_until: Option<NaiveDate>,
        created_at: NaiveDateTime,
    }
}

/// A corporate fare is only for those who name its code; the others are for every customer of the agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateFareKind {
    Corporate,
    Leisure,
    Negotiated,
}

/// Against the published fare of the class on one flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// A whole number of per cent, 1 to 99.
    PercentOff(u8),
    AmountOff(Money),
    Fixed(Money),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateFare {
    pub id: PrivateFareId,
    pub version: i64,
    pub filed: NewPrivateFare,
    pub created_at: NaiveDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrivateFare {
    pub agency: AgencyId,
    /// Two to six capital letters and digits: it stands behind the fare basis on the ticket.
    pub code: String,
    pub kind: PrivateFareKind,
    pub carrier: CarrierCode,
    /// Airport or city codes; the fare holds in both directions.
    pub origin: String,
    pub destination: String,
    pub classes: Vec<BookingClass>,
    pub adjustment: Adjustment,
    /// A group fare is for so many and more.
    pub least_travellers: i64,
    /// Days of issue.
    pub effective: Period,
    /// Days of departure; none is any.
    pub travel_from: Option<NaiveDate>,
    pub travel_until: Option<NaiveDate>,
}

#[derive(Debug, thiserror::Error)]
pub enum PrivateFareError {
    #[error("a code is two to six capital letters and digits")]
    Code,
    #[error("name at least one class, and each once")]
    Classes,
    #[error("a percentage is 1 to 99, an amount more than nothing")]
    Adjustment,
    #[error("a group has at least one traveller")]
    Travellers,
    #[error("the last day of issue is before the first")]
    Effective,
    #[error("the last day of travel is before the first")]
    Travel,
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// On a coupon: that its fare is a private one, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateFareMark {
    pub kind: PrivateFareKind,
    pub code: String,
}

/// The private fares of one agency that are in force on a day of issue, for customers who name these codes.
#[derive(Clone, Debug, Default)]
pub struct PrivateFares(Vec<PrivateFare>);

/// One flight for which a private fare is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    pub carrier: CarrierCode,
    pub origin: &'a Airport,
    pub destination: &'a Airport,
    pub class: BookingClass,
    pub date: NaiveDate,
    pub travellers: usize,
}

impl PrivateFareKind {
    pub fn text(self) -> &'static str {
        match self {
            PrivateFareKind::Corporate => "corporate",
            PrivateFareKind::Leisure => "leisure",
            PrivateFareKind::Negotiated => "negotiated",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let kinds = [PrivateFareKind::Corporate, PrivateFareKind::Leisure, PrivateFareKind::Negotiated];
        kinds.into_iter().find(|kind| kind.text() == text)
    }
}

impl Adjustment {
    pub fn text(self) -> &'static str {
        match self {
            Adjustment::PercentOff(_) => "percent_off",
            Adjustment::AmountOff(_) => "amount_off",
            Adjustment::Fixed(_) => "fixed",
        }
    }

    /// What is paid instead, rounded half-even to the minor unit; none where that is no fare or no lower one.
    fn of(self, published: Money) -> Result<Option<Money>, MoneyError> {
        let amount = match self {
            Adjustment::PercentOff(percent) => published.portion(Rate::from(Decimal::new(100 - i64::from(percent), 2)))?,
            Adjustment::AmountOff(amount) => published.checked_sub(amount)?,
            Adjustment::Fixed(amount) => amount,
        };
        Ok((amount.currency == published.currency && 0 < amount.minor && amount.minor < published.minor).then_some(amount))
    }

    fn currency(self) -> Currency {
        match self {
            Adjustment::PercentOff(_) => Currency::CNY,
            Adjustment::AmountOff(amount) | Adjustment::Fixed(amount) => amount.currency,
        }
    }
}

impl PrivateFares {
    pub const fn none() -> Self {
        PrivateFares(Vec::new())
    }

    /// Of each code the latest version that has begun, where it has not ended; corporate fares only where their code is among `codes`.
    pub fn in_force(filed: Vec<PrivateFare>, issued_on: NaiveDate, codes: &[(CarrierCode, String)]) -> Self {
        let mut latest: Vec<PrivateFare> = Vec::new();
        for fare in filed.into_iter().filter(|fare| fare.filed.effective.from <= issued_on) {
            match latest.iter_mut().find(|known| known.filed.code == fare.filed.code) {
                Some(known) if known.version < fare.version => *known = fare,
                Some(_) => {}
                None => latest.push(fare),
            }
        }
        let named = |fare: &NewPrivateFare| codes.iter().any(|(carrier, code)| *carrier == fare.carrier && *code == fare.code);
        latest.retain(|fare| {
            let open = fare.filed.kind != PrivateFareKind::Corporate || named(&fare.filed);
            open && fare.filed.effective.contains(issued_on)
        });
        PrivateFares(latest)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest private fare that is below the published one; of equal ones the first filed.
    pub fn lowest(&self, sought: Sought<'_>, published: Money) -> Result<Option<(Money, PrivateFareMark)>, MoneyError> {
        let mut best: Option<(Money, &PrivateFare)> = None;
        for fare in self.0.iter().filter(|fare| fare.filed.applies(sought)) {
            let Some(amount) = fare.filed.adjustment.of(published)? else { continue };
            if best.is_none_or(|(known, by)| (amount.minor, fare.id) < (known.minor, by.id)) {
                best = Some((amount, fare));
            }
        }
        Ok(best.map(|(amount, fare)| (amount, PrivateFareMark { kind: fare.filed.kind, code: fare.filed.code.clone() })))
    }
}

impl NewPrivateFare {
    fn applies(&self, sought: Sought<'_>) -> bool {
        let at = |place: &str, airport: &Airport| place == airport.code.as_str() || place == airport.city.as_str();
        let there = at(&self.origin, sought.origin) && at(&self.destination, sought.destination);
        let back = at(&self.origin, sought.destination) && at(&self.destination, sought.origin);
        let in_season =
            self.travel_from.is_none_or(|from| from <= sought.date) && self.travel_until.is_none_or(|until| sought.date <= until);
        let enough = i64::try_from(sought.travellers).is_ok_and(|travellers| travellers >= self.least_travellers);
        self.carrier == sought.carrier && self.classes.contains(&sought.class) && (there || back) && in_season && enough
    }

    fn check(&self) -> Result<(), PrivateFareError> {
        let code = &self.code;
        if !(2..=6).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return Err(PrivateFareError::Code);
        }
        let twice = self.classes.iter().enumerate().any(|(index, class)| self.classes.iter().skip(index + 1).any(|o| o == class));
        if self.classes.is_empty() || twice {
            return Err(PrivateFareError::Classes);
        }
        let possible = match self.adjustment {
            Adjustment::PercentOff(percent) => (1..=99).contains(&percent),
            Adjustment::AmountOff(amount) | Adjustment::Fixed(amount) => amount.minor > 0,
        };
        if !possible {
            return Err(PrivateFareError::Adjustment);
        }
        if self.least_travellers < 1 {
            return Err(PrivateFareError::Travellers);
        }
        if self.effective.until.is_some_and(|until| until < self.effective.from) {
            return Err(PrivateFareError::Effective);
        }
        match (self.travel_from, self.travel_until) {
            (Some(from), Some(until)) if until < from => Err(PrivateFareError::Travel),
            _ => Ok(()),
        }
    }
}

/// Files the next version under this code of the agency. To end a private fare, file a version whose last day of issue is today.
pub fn file_private_fare(tx: &mut WriteTx, new: NewPrivateFare) -> Result<PrivateFare, PrivateFareError> {
    new.check()?;
    let known = private_fares_of(tx.db, new.agency)?;
    let latest = known.iter().filter(|known| known.filed.code == new.code).max_by_key(|known| known.version);
    if let Some(latest) = latest.filter(|latest| latest.filed.effective.from > new.effective.from) {
        return Err(PrivateFareError::BeforeLatest { latest: latest.version, from: latest.filed.effective.from });
    }
    let fare = PrivateFare {
        id: tx.ids.next(),
        version: latest.map_or(1, |latest| latest.version + 1),
        filed: new,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(&[PrivateFareRow::from(&fare)])])?;
    Ok(fare)
}

pub fn private_fare(db: &mut Db, id: PrivateFareId) -> Result<Option<PrivateFare>, DbError> {
    let row: Option<PrivateFareRow> =
        private_fare::table.find(id.raw()).select(PrivateFareRow::as_select()).first(db).optional()?;
    row.map(PrivateFare::try_from).transpose()
}

/// All versions of an agency, oldest first.
pub fn private_fares_of(db: &mut Db, agency: AgencyId) -> Result<Vec<PrivateFare>, DbError> {
    let filed = private_fare::table.filter(private_fare::agency_id.eq(agency.raw())).order(private_fare::id.asc());
    let rows: Vec<PrivateFareRow> = filed.select(PrivateFareRow::as_select()).load(db)?;
    rows.into_iter().map(PrivateFare::try_from).collect()
}

/// All versions of these agencies, or of all.
pub fn private_fares(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<PrivateFare>, DbError> {
    let mut query = windowed!(private_fare::table.into_boxed(), private_fare::id, window, limit);
    if let Some(agencies) = of {
        let raw: Vec<i64> = agencies.iter().map(|id| id.raw()).collect();
        query = query.filter(private_fare::agency_id.eq_any(raw));
    }
    let rows: Vec<PrivateFareRow> = query.select(PrivateFareRow::as_select()).load(db)?;
    rows.into_iter().map(PrivateFare::try_from).collect()
}

impl From<&PrivateFare> for PrivateFareRow {
    fn from(fare: &PrivateFare) -> Self {
        let filed = &fare.filed;
        let (percent, amount_minor) = match filed.adjustment {
            Adjustment::PercentOff(percent) => (Some(i64::from(percent)), None),
            Adjustment::AmountOff(amount) | Adjustment::Fixed(amount) => (None, Some(amount.minor)),
        };
        PrivateFareRow {
            id: fare.id.raw(),
            agency_id: filed.agency.raw(),
            code: filed.code.clone(),
            version: fare.version,
            kind: filed.kind.text().to_owned(),
            carrier: filed.carrier.to_string(),
            origin: filed.origin.clone(),
            destination: filed.destination.clone(),
            classes: filed.classes.iter().map(|class| class.letter()).collect(),
            adjustment: filed.adjustment.text().to_owned(),
            percent,
            amount_minor,
            currency: filed.adjustment.currency().to_string(),
            least_travellers: filed.least_travellers,
            effective_from: filed.effective.from,
            effective_until: filed.effective.until,
            travel_from: filed.travel_from,
            travel_until: filed.travel_until,
            created_at: fare.created_at,
        }
    }
}

impl TryFrom<PrivateFareRow> for PrivateFare {
    type Error = DbError;

    fn try_from(row: PrivateFareRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of private fare {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt("currency"))?;
        let amount = || row.amount_minor.map(|minor| Money::new(minor, currency)).ok_or_else(|| corrupt("amount"));
        let adjustment = match row.adjustment.as_str() {
            "percent_off" => {
                let percent = row.percent.and_then(|percent| u8::try_from(percent).ok());
                Adjustment::PercentOff(percent.ok_or_else(|| corrupt("percentage"))?)
            }
            "amount_off" => Adjustment::AmountOff(amount()?),
            "fixed" => Adjustment::Fixed(amount()?),
            _ => return Err(corrupt("adjustment")),
        };
        let classes: Option<Vec<BookingClass>> = row.classes.chars().map(BookingClass::parse).collect();
        let filed = NewPrivateFare {
            agency: AgencyId::of(row.agency_id),
            kind: PrivateFareKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            carrier: CarrierCode::parse(&row.carrier).ok_or_else(|| corrupt("carrier"))?,
            classes: classes.ok_or_else(|| corrupt("classes"))?,
            adjustment,
            least_travellers: row.least_travellers,
            effective: Period { from: row.effective_from, until: row.effective_until },
            travel_from: row.travel_from,
            travel_until: row.travel_until,
            code: row.code,
            origin: row.origin,
            destination: row.destination,
        };
        Ok(PrivateFare { id: PrivateFareId::of(row.id), version: row.version, filed, created_at: row.created_at })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn fare(id: i64, code: &str, adjustment: Adjustment) -> PrivateFare {
        let filed = NewPrivateFare {
            agency: AgencyId::of(1),
            code: code.to_owned(),
            kind: PrivateFareKind::Negotiated,
            carrier: CarrierCode::parse("CA").unwrap(),
            origin: "BJS".to_owned(),
            destination: "SHA".to_owned(),
            classes: vec![BookingClass::parse('Y').unwrap()],
            adjustment,
            least_travellers: 1,
            effective: Period { from: date("2026-11-01"), until: None },
            travel_from: None,
            travel_until: None,
        };
        let created_at = date("2026-11-01").and_hms_opt(0, 0, 0).unwrap();
        PrivateFare { id: PrivateFareId::of(id), version: 1, filed, created_at }
    }

    fn sought(origin: &str, destination: &str) -> Sought<'static> {
        let airport = |code| catalogue().airports.find(code).unwrap();
        Sought {
            carrier: CarrierCode::parse("CA").unwrap(),
            origin: airport(origin),
            destination: airport(destination),
            class: BookingClass::parse('Y').unwrap(),
            date: date("2026-12-08"),
            travellers: 1,
        }
    }

    fn paid(fares: &[PrivateFare], sought: Sought<'_>) -> Option<(String, String)> {
        let fares = PrivateFares::in_force(fares.to_vec(), date("2026-11-22"), &[]);
        fares.lowest(sought, cny("950.00")).unwrap().map(|(amount, mark)| (amount.to_string(), mark.code))
    }

    fn answer(amount: &str, code: &str) -> Option<(String, String)> {
        Some((amount.to_owned(), code.to_owned()))
    }

    #[test]
    fn a_fare_is_a_share_off_an_amount_off_or_fixed_and_never_above_the_published_one() {
        let with = |adjustment| paid(&[fare(1, "NEG1", adjustment)], sought("PEK", "SHA"));
        assert_eq!(with(Adjustment::PercentOff(10)), answer("855.00", "NEG1"));
        assert_eq!(with(Adjustment::AmountOff(cny("100.00"))), answer("850.00", "NEG1"));
        assert_eq!(with(Adjustment::Fixed(cny("700.00"))), answer("700.00", "NEG1"));
        assert_eq!(with(Adjustment::Fixed(cny("950.00"))), None);
        assert_eq!(with(Adjustment::AmountOff(cny("950.00"))), None, "nothing is not a fare");
    }

    #[test]
    fn it_holds_between_these_places_in_both_directions_and_in_these_classes() {
        let fares = [fare(1, "NEG1", Adjustment::PercentOff(10))];
        let found = |origin, destination| paid(&fares, sought(origin, destination)).is_some();
        assert!(found("PEK", "SHA") && found("PKX", "PVG") && found("SHA", "PEK"));
        assert!(!found("PEK", "CAN"));
        let other_class = Sought { class: BookingClass::parse('G').unwrap(), ..sought("PEK", "SHA") };
        assert_eq!(paid(&fares, other_class), None);
        let other_carrier = Sought { carrier: CarrierCode::parse("MU").unwrap(), ..sought("PEK", "SHA") };
        assert_eq!(paid(&fares, other_carrier), None);
    }

    #[test]
    fn the_lowest_of_several_is_paid() {
        let fares = [fare(1, "NEG1", Adjustment::PercentOff(10)), fare(2, "NEG2", Adjustment::Fixed(cny("855.00")))];
        assert_eq!(paid(&fares, sought("PEK", "SHA")), answer("855.00", "NEG1"), "of equal ones the first filed");
        let lower = [fares[0].clone(), fare(2, "NEG2", Adjustment::Fixed(cny("854.99")))];
        assert_eq!(paid(&lower, sought("PEK", "SHA")), answer("854.99", "NEG2"));
    }

    #[test]
    fn the_next_version_takes_the_place_of_the_last_from_its_first_day() {
        let first = fare(1, "NEG1", Adjustment::PercentOff(10));
        let mut second = PrivateFare { version: 2, ..fare(2, "NEG1", Adjustment::PercentOff(20)) };
        second.filed.effective.from = date("2026-11-22");
        assert_eq!(paid(&[first.clone(), second.clone()], sought("PEK", "SHA")), answer("760.00", "NEG1"));
        second.filed.effective.from = date("2026-11-23");
        assert_eq!(paid(&[first.clone(), second.clone()], sought("PEK", "SHA")), answer("855.00", "NEG1"));
        second.filed.effective = Period { from: date("2026-11-20"), until: Some(date("2026-11-21")) };
        assert_eq!(paid(&[first, second], sought("PEK", "SHA")), None, "ended, and the first does not come back");
    }

    #[test]
    fn groups_seasons_and_corporate_codes() {
        let mut group = fare(1, "GV10", Adjustment::PercentOff(30));
        group.filed.least_travellers = 10;
        let party = |travellers| Sought { travellers, ..sought("PEK", "SHA") };
        assert_eq!(paid(std::slice::from_ref(&group), party(9)), None);
        assert_eq!(paid(&[group], party(10)), answer("665.00", "GV10"));
        let mut season = fare(1, "WIN", Adjustment::PercentOff(10));
        season.filed.travel_until = Some(date("2026-12-07"));
        assert_eq!(paid(&[season], sought("PEK", "SHA")), None);
        let mut corporate = fare(1, "ACME", Adjustment::PercentOff(10));
        corporate.filed.kind = PrivateFareKind::Corporate;
        assert_eq!(paid(std::slice::from_ref(&corporate), sought("PEK", "SHA")), None);
        let named = [(CarrierCode::parse("CA").unwrap(), "ACME".to_owned())];
        let fares = PrivateFares::in_force(vec![corporate], date("2026-11-22"), &named);
        assert!(fares.lowest(sought("PEK", "SHA"), cny("950.00")).unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_filed_is_refused() {
        let with = |change: fn(&mut NewPrivateFare)| {
            let mut new = fare(1, "NEG1", Adjustment::PercentOff(10)).filed;
            change(&mut new);
            new.check()
        };
        assert!(with(|_| {}).is_ok());
        assert!(matches!(with(|new| new.code = "n1".to_owned()), Err(PrivateFareError::Code)));
        assert!(matches!(with(|new| new.classes.clear()), Err(PrivateFareError::Classes)));
        assert!(matches!(with(|new| new.classes.push(new.classes[0])), Err(PrivateFareError::Classes)));
        assert!(matches!(with(|new| new.adjustment = Adjustment::PercentOff(100)), Err(PrivateFareError::Adjustment)));
        assert!(matches!(with(|new| new.least_travellers = 0), Err(PrivateFareError::Travellers)));
        assert!(matches!(with(|new| new.effective.until = Some(date("2026-10-31"))), Err(PrivateFareError::Effective)));
    }
}
