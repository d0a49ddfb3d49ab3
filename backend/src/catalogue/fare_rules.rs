//! Who may buy a class, when, and together with which others: the conditions of sale that a carrier files beside its fares.
//!
//! A rule is found by carrier, service and booking class on the day of issue. A class without a rule can be bought by anybody at any
//! time and combined with everything. What a rule asks of a whole journey (advance purchase, stay, number of travellers) is asked by
//! the rule of every flight, so that of a combination the most restrictive conditions win.

use super::fares::carrier_or_all;
use super::ladder_steps::classes;
use super::records::{Row, Table};
use super::schedules::weekdays;
use super::taxes::Service;
use super::{BookingClass, CarrierCode, CatalogueError, Period};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FareRule {
    pub period: Period,
    /// None is every service.
    pub service: Option<Service>,
    pub classes: Vec<BookingClass>,
    /// Issued at least so many days before the first departure.
    pub advance_days: Option<u64>,
    /// Days from the first departure to that of the last slice; only of journeys with more than one slice.
    pub least_stay_days: Option<i64>,
    pub most_stay_days: Option<i64>,
    pub least_travellers: usize,
    pub most_travellers: Option<usize>,
    /// On which days and at which times at the airport it is flown.
    weekdays: Vec<Weekday>,
    departs: Option<(NaiveTime, NaiveTime)>,
    /// In which season; none is always.
    travel: Option<Period>,
    /// None is every class.
    pub combinable_with: Option<Vec<BookingClass>>,
}

/// Days on which some classes are not flown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blackout {
    carrier: Option<CarrierCode>,
    classes: Vec<BookingClass>,
    travel: Period,
    name: String,
}

#[derive(Debug)]
pub struct FareRules {
    rules: BTreeMap<(Option<CarrierCode>, BookingClass), Vec<FareRule>>,
    blackouts: Vec<Blackout>,
}

#[derive(Clone, Copy)]
pub(super) struct FareRuleTables<'t> {
    pub rules: Table<'t>,
    pub blackouts: Table<'t>,
}

/// The journey that a class is bought for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    pub issued_on: NaiveDate,
    /// Local date of the first departure.
    pub begins_on: NaiveDate,
    /// Days from the first departure to that of the last slice; none of one slice.
    pub stay_days: Option<i64>,
    pub travellers: usize,
}

/// One flight in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flown {
    pub carrier: CarrierCode,
    pub service: Service,
    pub class: BookingClass,
    /// Wall-clock time at the origin.
    pub departing_at: NaiveDateTime,
}

/// The condition that is not met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FareRuleRefusal {
    #[error("class {class} has to be bought {days} days before departure")]
    AdvancePurchase { class: BookingClass, days: u64 },
    #[error("class {class} is for a stay of at least {days} days")]
    StayTooShort { class: BookingClass, days: i64 },
    #[error("class {class} is for a stay of at most {days} days")]
    StayTooLong { class: BookingClass, days: i64 },
    #[error("class {class} is for groups of at least {least}")]
    TooFewTravellers { class: BookingClass, least: usize },
    #[error("class {class} is for at most {most} travellers")]
    TooManyTravellers { class: BookingClass, most: usize },
    #[error("class {class} is not flown on this day or at this time")]
    NotAtThisTime { class: BookingClass },
    #[error("class {class} is not flown on {date}: {name}")]
    Blackout { class: BookingClass, date: NaiveDate, name: String },
    #[error("classes {class} and {other} cannot be combined on one ticket")]
    NotCombinable { class: BookingClass, other: BookingClass },
}

impl Trip {
    /// `departures` are the local dates on which the slices begin; none of a journey without slices.
    pub fn of(issued_on: NaiveDate, departures: impl IntoIterator<Item = NaiveDate>, travellers: usize) -> Option<Self> {
        let mut departures = departures.into_iter();
        let begins_on = departures.next()?;
        let stay_days = departures.last().map(|last| last.signed_duration_since(begins_on).num_days());
        Some(Trip { issued_on, begins_on, stay_days, travellers })
    }
}

impl FareRules {
    pub(super) fn read(tables: FareRuleTables<'_>) -> Result<Self, CatalogueError> {
        let mut rules: BTreeMap<_, Vec<FareRule>> = BTreeMap::new();
        for (carrier, rule) in tables.rules.rows(rule)? {
            for class in &rule.classes {
                rules.entry((carrier, *class)).or_default().push(rule.clone());
            }
        }
        Ok(FareRules { rules, blackouts: tables.blackouts.rows(blackout)? })
    }

    /// The carrier's own rule for this class, or that of all carriers.
    pub fn rule(&self, carrier: CarrierCode, service: Service, class: BookingClass, issued_on: NaiveDate) -> Option<&FareRule> {
        let of = |wanted: Option<CarrierCode>| {
            let filed = self.rules.get(&(wanted, class))?;
            filed.iter().find(|rule| rule.period.contains(issued_on) && rule.service.is_none_or(|own| own == service))
        };
        of(Some(carrier)).or_else(|| of(None))
    }

    /// Whether this class may be bought for this flight of this journey.
    pub fn check(&self, flown: Flown, trip: Trip) -> Result<(), FareRuleRefusal> {
        let Flown { carrier, service, class, departing_at } = flown;
        let date = departing_at.date();
        let closed = self.blackouts.iter().find(|blackout| {
            blackout.carrier.is_none_or(|own| own == carrier)
                && blackout.travel.contains(date)
                && blackout.classes.contains(&class)
        });
        if let Some(blackout) = closed {
            return Err(FareRuleRefusal::Blackout { class, date, name: blackout.name.clone() });
        }
        match self.rule(carrier, service, class, trip.issued_on) {
            Some(rule) => rule.check(class, departing_at, trip),
            None => Ok(()),
        }
    }

    /// Whether each of two flights may be sold together with the other on one ticket. The order does not matter.
    pub fn check_combination(&self, one: Flown, other: Flown, issued_on: NaiveDate) -> Result<(), FareRuleRefusal> {
        let allows = |own: Flown, with: Flown| {
            self.rule(own.carrier, own.service, own.class, issued_on).is_none_or(|rule| rule.combines_with(with.class))
        };
        if allows(one, other) && allows(other, one) {
            return Ok(());
        }
        let (class, other) = (one.class.min(other.class), one.class.max(other.class));
        Err(FareRuleRefusal::NotCombinable { class, other })
    }
}

impl FareRule {
    pub fn combines_with(&self, other: BookingClass) -> bool {
        self.combinable_with.as_ref().is_none_or(|classes| classes.contains(&other))
    }

    /// The last day of issue for a journey that begins on this day.
    pub fn last_day_of_issue(&self, begins_on: NaiveDate) -> Option<NaiveDate> {
        begins_on.checked_sub_days(Days::new(self.advance_days?))
    }

    fn check(&self, class: BookingClass, departing_at: NaiveDateTime, trip: Trip) -> Result<(), FareRuleRefusal> {
        if let Some(days) = self.advance_days
            && self.last_day_of_issue(trip.begins_on).is_none_or(|last| trip.issued_on > last)
        {
            return Err(FareRuleRefusal::AdvancePurchase { class, days });
        }
        if let (Some(days), Some(stay)) = (self.least_stay_days, trip.stay_days)
            && stay < days
        {
            return Err(FareRuleRefusal::StayTooShort { class, days });
        }
        if let (Some(days), Some(stay)) = (self.most_stay_days, trip.stay_days)
            && stay > days
        {
            return Err(FareRuleRefusal::StayTooLong { class, days });
        }
        if trip.travellers < self.least_travellers {
            return Err(FareRuleRefusal::TooFewTravellers { class, least: self.least_travellers });
        }
        if let Some(most) = self.most_travellers.filter(|most| trip.travellers > *most) {
            return Err(FareRuleRefusal::TooManyTravellers { class, most });
        }
        let (date, time) = (departing_at.date(), departing_at.time());
        let on_the_day = self.weekdays.contains(&date.weekday());
        let at_the_time = self.departs.is_none_or(|(from, until)| from <= time && time <= until);
        let in_season = self.travel.is_none_or(|travel| travel.contains(date));
        if on_the_day && at_the_time && in_season { Ok(()) } else { Err(FareRuleRefusal::NotAtThisTime { class }) }
    }
}

fn rule(row: &Row<'_>) -> Result<(Option<CarrierCode>, FareRule), CatalogueError> {
    let service = |text: &str| if text == "*" { Some(None) } else { Service::parse(text).map(Some) };
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let combinable = |text: &str| if text == "*" { Some(None) } else { classes(text).map(Some) };
    let departs = (row.optional("departs_from", time)?, row.optional("departs_until", time)?);
    let travel = (
        row.optional("travel_from", |text| text.parse::<NaiveDate>().ok())?,
        row.optional("travel_until", |text| text.parse::<NaiveDate>().ok())?,
    );
    let rule = FareRule {
        period: row.period()?,
        service: row.with("service", service)?,
        classes: row.with("classes", classes)?,
        advance_days: row.optional("advance_days", |text| text.parse().ok())?,
        least_stay_days: row.optional("least_stay_days", |text| text.parse().ok())?,
        most_stay_days: row.optional("most_stay_days", |text| text.parse().ok())?,
        least_travellers: row.parsed("least_travellers")?,
        most_travellers: row.optional("most_travellers", |text| text.parse().ok())?,
        weekdays: row.with("weekdays", weekdays)?,
        departs: match departs {
            (None, None) => None,
            (from, until) => Some((from.unwrap_or(NaiveTime::MIN), until.unwrap_or(LAST_MINUTE))),
        },
        travel: match travel {
            (None, None) => None,
            (from, until) => Some(Period { from: from.unwrap_or(NaiveDate::MIN), until }),
        },
        combinable_with: row.with("combinable_with", combinable)?,
    };
    Ok((carrier_or_all(row)?, rule))
}

const LAST_MINUTE: NaiveTime = match NaiveTime::from_hms_opt(23, 59, 59) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

fn blackout(row: &Row<'_>) -> Result<Blackout, CatalogueError> {
    Ok(Blackout {
        carrier: carrier_or_all(row)?,
        classes: row.with("classes", classes)?,
        travel: Period { from: row.parsed("travel_from")?, until: Some(row.parsed("travel_until")?) },
        name: row.parsed("name")?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;
    use proptest::prelude::*;

    fn class(letter: char) -> BookingClass {
        BookingClass::parse(letter).unwrap()
    }

    fn rules(rows: &str) -> FareRules {
        let text = format!(
            "carrier,effective_from,effective_until,service,classes,advance_days,least_stay_days,most_stay_days,least_travellers,\
             most_travellers,weekdays,departs_from,departs_until,travel_from,travel_until,combinable_with\n{rows}\n"
        );
        let blackouts = "carrier,classes,travel_from,travel_until,name\n*,W,2027-02-01,2027-02-12,Spring Festival\n";
        let tables =
            FareRuleTables { rules: Table { file: "test", text: &text }, blackouts: Table { file: "test", text: blackouts } };
        FareRules::read(tables).unwrap()
    }

    fn flown(letter: char, departing_at: &str) -> Flown {
        Flown {
            carrier: CarrierCode::parse("CA").unwrap(),
            service: Service::Domestic,
            class: class(letter),
            departing_at: departing_at.parse().unwrap(),
        }
    }

    const NOON: &str = "2026-12-08T12:00:00";

    fn trip(issued_on: &str, stay_days: Option<i64>, travellers: usize) -> Trip {
        Trip { issued_on: date(issued_on), begins_on: date("2026-12-08"), stay_days, travellers }
    }

    #[test]
    fn advance_purchase_counts_days_of_the_calendar() {
        let rules = rules("*,2025-01-01,,*,W,14,,,1,9,1234567,,,,,*");
        let sold = |issued_on: &str| rules.check(flown('W', NOON), trip(issued_on, None, 1));
        assert_eq!(sold("2026-11-24"), Ok(()), "fourteen days before the 8th");
        assert_eq!(sold("2026-11-25"), Err(FareRuleRefusal::AdvancePurchase { class: class('W'), days: 14 }));
        let rule = rules.rule(CarrierCode::parse("CA").unwrap(), Service::Domestic, class('W'), date("2026-11-24")).unwrap();
        assert_eq!(rule.last_day_of_issue(date("2026-12-08")), Some(date("2026-11-24")));
    }

    #[test]
    fn a_stay_is_asked_of_returns_only() {
        let rules = rules("*,2025-01-01,,*,W,,2,30,1,9,1234567,,,,,*");
        let sold = |stay| rules.check(flown('W', NOON), trip("2026-11-22", stay, 1));
        assert_eq!((sold(None), sold(Some(2)), sold(Some(30))), (Ok(()), Ok(()), Ok(())));
        assert_eq!(sold(Some(1)), Err(FareRuleRefusal::StayTooShort { class: class('W'), days: 2 }));
        assert_eq!(sold(Some(31)), Err(FareRuleRefusal::StayTooLong { class: class('W'), days: 30 }));
    }

    #[test]
    fn groups_have_classes_of_their_own() {
        let rules = rules("*,2025-01-01,,*,G,,,,10,,1234567,,,,,*\n*,2025-01-01,,*,Y,,,,1,9,1234567,,,,,*");
        let sold = |letter, travellers| rules.check(flown(letter, NOON), trip("2026-11-22", None, travellers));
        assert_eq!((sold('Y', 9), sold('G', 10)), (Ok(()), Ok(())));
        assert_eq!(sold('G', 9), Err(FareRuleRefusal::TooFewTravellers { class: class('G'), least: 10 }));
        assert_eq!(sold('Y', 10), Err(FareRuleRefusal::TooManyTravellers { class: class('Y'), most: 9 }));
    }

    #[test]
    fn days_times_seasons_and_blackouts_close_a_class() {
        let rules = rules("*,2025-01-01,,*,W,,,,1,9,12345,06:00,20:00,2026-11-01,2027-03-27,*");
        let sold = |departing_at: &str| rules.check(flown('W', departing_at), trip("2026-11-22", None, 1));
        let not_then = Err(FareRuleRefusal::NotAtThisTime { class: class('W') });
        assert_eq!((sold(NOON), sold("2026-12-08T20:00:00")), (Ok(()), Ok(())));
        assert_eq!(sold("2026-12-08T20:01:00"), not_then);
        assert_eq!(sold("2026-12-12T12:00:00"), not_then, "a Saturday");
        assert_eq!(sold("2027-03-29T12:00:00"), not_then, "the summer schedule");
        assert!(matches!(sold("2027-02-12T12:00:00"), Err(FareRuleRefusal::Blackout { .. })));
        assert_eq!(sold("2027-02-15T12:00:00"), Ok(()));
    }

    #[test]
    fn a_carriers_own_rule_replaces_that_of_all() {
        let rules = rules("*,2025-01-01,,domestic,W,14,,,1,9,1234567,,,,,*\nMU,2025-01-01,,domestic,W,,,,1,9,1234567,,,,,*");
        let sold = |carrier: &str| {
            let flown = Flown { carrier: CarrierCode::parse(carrier).unwrap(), ..flown('W', NOON) };
            rules.check(flown, trip("2026-12-07", None, 1)).is_ok()
        };
        assert!(sold("MU") && !sold("CA"));
        let abroad = Flown { service: Service::International, ..flown('W', NOON) };
        assert_eq!(rules.check(abroad, trip("2026-12-07", None, 1)), Ok(()), "nothing is filed for it");
    }

    proptest! {
        #[test]
        fn combining_does_not_depend_on_the_order(one in "[FCYBHKLMQZGSW]", other in "[FCYBHKLMQZGSW]") {
            let rules = &catalogue().fare_rules;
            let (one, other) = (flown(one.parse().unwrap(), NOON), flown(other.parse().unwrap(), NOON));
            let today = date("2026-11-22");
            prop_assert_eq!(rules.check_combination(one, other, today), rules.check_combination(other, one, today));
            prop_assert!(rules.check_combination(one, one, today).is_ok(), "a class combines with itself");
        }
    }

    #[test]
    fn what_is_filed_combines_within_its_family() {
        let combines = |one, other| {
            catalogue().fare_rules.check_combination(flown(one, NOON), flown(other, NOON), date("2026-11-22")).is_ok()
        };
        assert!(combines('Y', 'K') && combines('B', 'W') && combines('F', 'C') && combines('C', 'Y'));
        assert!(!combines('C', 'W') && !combines('W', 'F'));
    }
}
