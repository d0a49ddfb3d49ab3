//! Taxes and surcharges as dated rules: who pays what on a flight, who is owed it, who collects it, when it is due and what comes back
//! on a refund. Charged per flight; where no rule is in force nothing is charged.

use super::records::{Row, Table};
use super::{Airport, CarrierCode, CatalogueError, PassengerKind, Period};
use crate::money::{Currency, Money};
use chrono::{Datelike, Months, NaiveDate};

/// How a flight stands to the Chinese mainland. Hong Kong, Macau and Taiwan are outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Domestic,
    LeavingMainland,
    EnteringMainland,
    Abroad,
}

/// What kind of route it is. Regional (支线) flights inside the mainland are free of CN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Domestic,
    Regional,
    International,
}

impl Service {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "domestic" => Some(Service::Domestic),
            "regional" => Some(Service::Regional),
            "international" => Some(Service::International),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passport {
    Ordinary,
    Diplomatic,
}

/// Which date decides whether a rule is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatedBy {
    Issue,
    Travel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payee {
    Airport,
    Carrier,
    Caac,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundRule {
    /// Always comes back whole, also where the fare does not.
    Whole,
    /// Comes back whenever the coupon is refunded at all.
    WithFare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueRule {
    /// On this day of the month after the month of issue.
    NextMonthDay(u32),
    /// Together with the fare of its ticket.
    WithFare,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    pub code: String,
    pub scope: Scope,
    pub period: Period,
    pub dated_by: DatedBy,
    /// Distance band: more than this…
    pub over_km: u32,
    /// …up to and including this; no end is open.
    pub upto_km: Option<u32>,
    pub adult: Money,
    pub child: Money,
    pub infant: Money,
    pub exempt_age_upto: Option<u8>,
    pub regional: Exemption,
    pub diplomatic: Exemption,
    pub payee: Payee,
    /// Who takes it from the passenger: `carrier`.
    pub collector: String,
    pub refund: RefundRule,
    pub due: DueRule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exemption {
    Exempt,
    Charged,
}

/// One flight as a tax rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct TaxedFlight<'c> {
    pub carrier: CarrierCode,
    pub origin: &'c Airport,
    pub destination: &'c Airport,
    pub distance_km: u32,
    pub service: Service,
    /// Local date of departure.
    pub travel_date: NaiveDate,
}

#[derive(Clone, Copy, Debug)]
pub struct TaxedPassenger {
    pub kind: PassengerKind,
    /// In years on the day of travel, where known. An adult of 12 is exempt from CN.
    pub age: Option<u8>,
    pub passport: Passport,
}

#[derive(Clone, Copy, Debug)]
pub struct TaxCharge<'c> {
    pub rule: &'c TaxRule,
    pub amount: Money,
}

#[derive(Debug)]
pub struct Taxes(Vec<TaxRule>);

impl Taxes {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.rows(rule).map(Taxes)
    }

    pub fn rules(&self) -> &[TaxRule] {
        &self.0
    }

    /// The charges above zero, in the order of the table. `issued_on` is the date in China.
    pub fn charges(
        &self,
        flight: TaxedFlight<'_>,
        passenger: TaxedPassenger,
        issued_on: NaiveDate,
    ) -> impl Iterator<Item = TaxCharge<'_>> {
        let scope = scope(flight.origin, flight.destination);
        self.0.iter().filter(move |rule| rule.scope == scope && rule.covers(flight, issued_on)).filter_map(move |rule| {
            let amount = rule.amount(flight, passenger);
            (amount.minor > 0).then_some(TaxCharge { rule, amount })
        })
    }

    /// The rule that a tax on a ticket came from.
    pub fn rule(&self, code: &str, flight: TaxedFlight<'_>, issued_on: NaiveDate) -> Option<&TaxRule> {
        let scope = scope(flight.origin, flight.destination);
        self.0.iter().find(|rule| rule.code == code && rule.scope == scope && rule.covers(flight, issued_on))
    }
}

impl TaxRule {
    fn covers(&self, flight: TaxedFlight<'_>, issued_on: NaiveDate) -> bool {
        let date = match self.dated_by {
            DatedBy::Issue => issued_on,
            DatedBy::Travel => flight.travel_date,
        };
        let in_band = flight.distance_km > self.over_km && self.upto_km.is_none_or(|upto| flight.distance_km <= upto);
        self.period.contains(date) && in_band
    }

    fn amount(&self, flight: TaxedFlight<'_>, passenger: TaxedPassenger) -> Money {
        let by_age = matches!((self.exempt_age_upto, passenger.age), (Some(upto), Some(age)) if age <= upto);
        let by_route = self.regional == Exemption::Exempt && flight.service == Service::Regional;
        let by_passport = self.diplomatic == Exemption::Exempt && passenger.passport == Passport::Diplomatic;
        if by_age || by_route || by_passport {
            return Money::zero(Currency::CNY);
        }
        match passenger.kind {
            PassengerKind::Adult => self.adult,
            PassengerKind::Child => self.child,
            PassengerKind::Infant => self.infant,
        }
    }

    /// The name under which the payee is owed this tax: `CAAC`, the carrier, or the airport of departure.
    pub fn payee_name(&self, flight: TaxedFlight<'_>) -> String {
        match self.payee {
            Payee::Caac => "CAAC".to_owned(),
            Payee::Carrier => flight.carrier.to_string(),
            Payee::Airport => flight.origin.code.to_string(),
        }
    }

    /// The day by which the collector owes it to the payee; none where it is paid together with the fare.
    pub fn due_on(&self, issued_on: NaiveDate) -> Option<NaiveDate> {
        match self.due {
            DueRule::NextMonthDay(day) => issued_on.with_day(1)?.checked_add_months(Months::new(1))?.with_day(day),
            DueRule::WithFare => None,
        }
    }
}

pub fn scope(origin: &Airport, destination: &Airport) -> Scope {
    match (origin.in_mainland(), destination.in_mainland()) {
        (true, true) => Scope::Domestic,
        (true, false) => Scope::LeavingMainland,
        (false, true) => Scope::EnteringMainland,
        (false, false) => Scope::Abroad,
    }
}

fn rule(row: &Row<'_>) -> Result<TaxRule, CatalogueError> {
    let yuan = |text: &str| Money::parse(text, Currency::CNY).ok();
    Ok(TaxRule {
        code: row.parsed("code")?,
        scope: row.with("scope", scope_named)?,
        period: row.period()?,
        dated_by: row.with("dated_by", dated_by)?,
        over_km: row.parsed("over_km")?,
        upto_km: row.optional("upto_km", |text| text.parse().ok())?,
        adult: row.with("adult", yuan)?,
        child: row.with("child", yuan)?,
        infant: row.with("infant", yuan)?,
        exempt_age_upto: row.optional("exempt_age_upto", |text| text.parse().ok())?,
        regional: exemption(row.yes_or_no("exempt_regional")?),
        diplomatic: exemption(row.yes_or_no("exempt_diplomatic")?),
        payee: row.with("payee", payee)?,
        collector: row.parsed("collector")?,
        refund: row.with("refund", refund)?,
        due: row.with("due", due)?,
    })
}

fn exemption(exempt: bool) -> Exemption {
    if exempt { Exemption::Exempt } else { Exemption::Charged }
}

fn scope_named(text: &str) -> Option<Scope> {
    match text {
        "domestic" => Some(Scope::Domestic),
        "leaving_mainland" => Some(Scope::LeavingMainland),
        "entering_mainland" => Some(Scope::EnteringMainland),
        "abroad" => Some(Scope::Abroad),
        _ => None,
    }
}

fn dated_by(text: &str) -> Option<DatedBy> {
    match text {
        "issue" => Some(DatedBy::Issue),
        "travel" => Some(DatedBy::Travel),
        _ => None,
    }
}

fn payee(text: &str) -> Option<Payee> {
    match text {
        "@airport" => Some(Payee::Airport),
        "@carrier" => Some(Payee::Carrier),
        "CAAC" => Some(Payee::Caac),
        _ => None,
    }
}

fn refund(text: &str) -> Option<RefundRule> {
    match text {
        "whole" => Some(RefundRule::Whole),
        "with_fare" => Some(RefundRule::WithFare),
        _ => None,
    }
}

fn due(text: &str) -> Option<DueRule> {
    match text.split_once(':') {
        None if text == "with_fare" => Some(DueRule::WithFare),
        Some(("next_month_day", day)) => day.parse().ok().filter(|day| (1..=28).contains(day)).map(DueRule::NextMonthDay),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    const ADULT: TaxedPassenger = TaxedPassenger { kind: PassengerKind::Adult, age: None, passport: Passport::Ordinary };

    fn flight(origin: &str, destination: &str, service: Service) -> TaxedFlight<'static> {
        let airport = |code| catalogue().airports.find(code).unwrap();
        TaxedFlight {
            carrier: CarrierCode::parse("CA").unwrap(),
            origin: airport(origin),
            destination: airport(destination),
            distance_km: airport(origin).distance_km(airport(destination)),
            service,
            travel_date: date("2026-12-01"),
        }
    }

    /// `CN 50.00 CAAC` and so on, as the charges of one passenger on one flight.
    fn charged(flight: TaxedFlight<'_>, passenger: TaxedPassenger, issued_on: &str) -> Vec<String> {
        let charges = catalogue().taxes.charges(flight, passenger, date(issued_on));
        charges.map(|charge| format!("{} {} {}", charge.rule.code, charge.amount, charge.rule.payee_name(flight))).collect()
    }

    #[test]
    fn the_fund_is_50_inside_the_mainland_and_90_out_of_it() {
        let taxes = |to, service| charged(flight("PEK", to, service), ADULT, "2026-11-22");
        assert_eq!(taxes("SHA", Service::Domestic), ["CN 50.00 CAAC", "YQ 20.00 CA"]);
        for abroad in ["HKG", "MFM", "TPE", "NRT"] {
            assert_eq!(taxes(abroad, Service::International)[0], "CN 90.00 CAAC", "{abroad}");
        }
        let homeward = charged(flight("HKG", "PEK", Service::International), ADULT, "2026-11-22");
        assert!(homeward.iter().all(|tax| !tax.starts_with("CN")), "nothing is owed for coming home: {homeward:?}");
    }

    #[test]
    fn the_payee_changed_on_the_first_of_april_2012() {
        let beijing = flight("PEK", "SHA", Service::Domestic);
        assert_eq!(charged(beijing, ADULT, "2012-03-31"), ["CN 50.00 PEK"]);
        assert_eq!(charged(beijing, ADULT, "2012-04-01"), ["CN 50.00 CAAC"]);
        assert_eq!(charged(flight("PEK", "NRT", Service::International), ADULT, "2012-03-31"), ["CN 90.00 PEK"]);
    }

    #[test]
    fn who_is_exempt_from_the_fund() {
        let pays = |flight, passenger| charged(flight, passenger, "2026-11-22").iter().any(|tax| tax.starts_with("CN"));
        let domestic = flight("PEK", "SHA", Service::Domestic);
        let abroad = flight("PEK", "NRT", Service::International);
        let aged = |kind, age| TaxedPassenger { kind, age, ..ADULT };
        assert!(!pays(domestic, aged(PassengerKind::Adult, Some(12))), "up to 12 inclusive");
        assert!(pays(domestic, aged(PassengerKind::Adult, Some(13))));
        assert!(!pays(domestic, aged(PassengerKind::Child, None)) && !pays(domestic, aged(PassengerKind::Infant, None)));
        assert!(!pays(flight("KMG", "DLU", Service::Regional), ADULT), "regional flights");
        let diplomat = TaxedPassenger { passport: Passport::Diplomatic, ..ADULT };
        assert!(!pays(abroad, diplomat), "diplomats on international flights…");
        assert!(pays(domestic, diplomat), "…only");
    }

    #[test]
    fn the_fuel_surcharge_has_two_bands_half_for_children_and_nothing_for_infants() {
        let surcharge = |km, kind, issued_on: &str| {
            let flight = TaxedFlight { distance_km: km, ..flight("PEK", "SHA", Service::Domestic) };
            let charges = catalogue().taxes.charges(flight, TaxedPassenger { kind, ..ADULT }, date(issued_on));
            charges.filter(|charge| charge.rule.code == "YQ").map(|charge| charge.amount.minor).sum::<i64>()
        };
        use PassengerKind::{Adult, Child, Infant};
        assert_eq!((surcharge(800, Adult, "2025-12-05"), surcharge(801, Adult, "2025-12-05")), (2_000, 4_000));
        assert_eq!((surcharge(800, Child, "2025-12-05"), surcharge(801, Child, "2025-12-05")), (1_000, 2_000));
        assert_eq!((surcharge(800, Adult, "2026-01-04"), surcharge(800, Adult, "2026-01-05")), (2_000, 1_000));
        assert_eq!((surcharge(800, Child, "2026-01-05"), surcharge(801, Child, "2026-01-05")), (0, 1_000));
        assert_eq!(surcharge(801, Infant, "2025-12-05"), 0);
        assert_eq!(surcharge(801, Adult, "2020-06-01"), 0, "suspended");
    }

    #[test]
    fn the_fund_is_due_in_the_month_after_the_sale_and_always_comes_back() {
        let rule = catalogue().taxes.rule("CN", flight("PEK", "SHA", Service::Domestic), date("2026-12-31")).unwrap();
        assert_eq!(rule.due_on(date("2026-12-31")), Some(date("2027-01-15")));
        assert_eq!(rule.refund, RefundRule::Whole);
    }

    #[test]
    fn no_two_rules_of_a_tax_are_ever_in_force_at_once() {
        let rules = catalogue().taxes.rules();
        for (index, rule) in rules.iter().enumerate() {
            for other in &rules[index + 1..] {
                let same = rule.code == other.code && rule.scope == other.scope && rule.over_km == other.over_km;
                let apart = rule.period.until.is_some_and(|until| until < other.period.from);
                assert!(!same || apart, "{rule:?} {other:?}");
            }
        }
    }
}
