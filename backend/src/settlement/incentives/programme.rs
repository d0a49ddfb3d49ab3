//! An incentive programme: what an agency gets back for selling much of one airline. Immutable; another agreement is another programme.

use crate::agencies::{self, AirlineReturn, agency};
use crate::airlines::airline;
use crate::db::schema::{incentive_programme, incentive_tier};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, AirlineId, Id, IncentiveProgrammeId};
use crate::money::{Currency, Money, Rate};
use chrono::{Datelike, Months, NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use std::fmt;

rows! {
    pub struct ProgrammeRow in incentive_programme {
        id: i64,
        name: String,
        agency_id: Option<i64>,
        agency_tier: Option<String>,
        airline_id: i64,
        currency: String,
        period: String,
        measure: String,
        method: String,
        funder: String,
        airline_return: Option<String>,
        effective_from: NaiveDate,
        effective_until: Option<NaiveDate>,
        created_at: NaiveDateTime,
    }

    /// `rate` where fares are measured, `amount_minor` per ticket where tickets are.
    pub struct TierRow in incentive_tier {
        programme_id: i64,
        threshold: i64,
        rate: Option<String>,
        amount_minor: Option<i64>,
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }
        impl $name {
            pub fn text(self) -> &'static str { match self { $($name::$variant => $text),+ } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)+ _ => None } }
        }
    };
}

words! {
    PeriodLength { Month = "month", Quarter = "quarter" }
}
words! {
    /// What reaches a tier; net of voids and refunds.
    Measure {
        /// Fares without taxes.
        Fare = "fare",
        Tickets = "tickets"
    }
}
words! {
    Method {
        /// A tier's rate holds for what is sold beyond its threshold.
        Incremental = "incremental",
        /// A tier that is reached holds for everything that was sold in the period.
        RetroactiveToFirst = "retroactive_to_first"
    }
}
words! {
    /// Who bears it.
    Funder { Airline = "airline", Platform = "platform" }
}

/// From this much on (minor units of fare, or tickets) every unit earns this much in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    pub from: i64,
    pub per_unit: Decimal,
}

/// `2026-11` or `2026-Q4`, by the ledger date of the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    pub starts_on: NaiveDate,
    pub length: PeriodLength,
}

impl PartialOrd for PeriodLength {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PeriodLength {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.months().cmp(&other.months())
    }
}

impl PeriodLength {
    fn months(self) -> u32 {
        match self {
            PeriodLength::Month => 1,
            PeriodLength::Quarter => 3,
        }
    }
}

impl Period {
    pub fn of(date: NaiveDate, length: PeriodLength) -> Self {
        let month = match length {
            PeriodLength::Month => date.month(),
            PeriodLength::Quarter => (date.month0() / 3) * 3 + 1,
        };
        Period { starts_on: NaiveDate::from_ymd_opt(date.year(), month, 1).unwrap_or(date), length }
    }

    pub fn last_day(self) -> NaiveDate {
        let next = self.starts_on.checked_add_months(Months::new(self.length.months()));
        next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, length) = match rest {
            "Q1" => ("01", PeriodLength::Quarter),
            "Q2" => ("04", PeriodLength::Quarter),
            "Q3" => ("07", PeriodLength::Quarter),
            "Q4" => ("10", PeriodLength::Quarter),
            month => (month, PeriodLength::Month),
        };
        let starts_on = NaiveDate::parse_from_str(&format!("{year}-{month}-01"), "%Y-%m-%d").ok()?;
        // One text per period.
        Some(Period { starts_on, length }).filter(|period| period.to_string() == text)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            PeriodLength::Month => write!(f, "{}", self.starts_on.format("%Y-%m")),
            PeriodLength::Quarter => write!(f, "{}-Q{}", self.starts_on.format("%Y"), self.starts_on.month0() / 3 + 1),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Programme {
    pub id: IncentiveProgrammeId,
    pub name: String,
    /// For one agency, for a tier, or for all.
    pub agency: Option<AgencyId>,
    pub tier: Option<agencies::Tier>,
    /// The validating carrier.
    pub airline: AirlineId,
    pub currency: Currency,
    pub period: PeriodLength,
    pub measure: Measure,
    pub method: Method,
    pub funder: Funder,
    /// How an airline that funds it pays.
    pub airline_return: Option<AirlineReturn>,
    /// Ledger dates of the sales that count, the first and the last.
    pub effective_from: NaiveDate,
    pub effective_until: Option<NaiveDate>,
    /// In the order of their thresholds.
    pub tiers: Vec<Tier>,
    pub created_at: NaiveDateTime,
}

impl Programme {
    pub fn is_for(&self, agency: AgencyId, tier: &str) -> bool {
        self.agency.is_none_or(|own| own == agency) && self.tier.as_ref().is_none_or(|own| own.text() == tier)
    }

    pub fn counts(&self, ledger_date: NaiveDate) -> bool {
        self.effective_from <= ledger_date && self.effective_until.is_none_or(|until| ledger_date <= until)
    }

    fn of(row: ProgrammeRow, tiers: &[TierRow]) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of incentive programme {}", row.id));
        let mut own = Vec::new();
        for tier in tiers.iter().filter(|tier| tier.programme_id == row.id) {
            let per_unit = match (&tier.rate, tier.amount_minor) {
                (Some(rate), None) => Rate::parse(rate).map_err(|_| corrupt("rate"))?.decimal(),
                (None, Some(minor)) => Decimal::from(minor),
                _ => return Err(corrupt("tier")),
            };
            own.push(Tier { from: tier.threshold, per_unit });
        }
        own.sort_by_key(|tier| tier.from);
        let airline_return = row.airline_return.as_deref().map(AirlineReturn::parse);
        let tier = row.agency_tier.as_deref().map(agencies::Tier::parse);
        Ok(Programme {
            id: IncentiveProgrammeId::of(row.id),
            agency: row.agency_id.map(AgencyId::of),
            tier: tier.map(|tier| tier.ok_or_else(|| corrupt("tier"))).transpose()?,
            airline: AirlineId::of(row.airline_id),
            currency: Currency::parse(&row.currency).map_err(|_| corrupt("currency"))?,
            period: PeriodLength::parse(&row.period).ok_or_else(|| corrupt("period"))?,
            measure: Measure::parse(&row.measure).ok_or_else(|| corrupt("measure"))?,
            method: Method::parse(&row.method).ok_or_else(|| corrupt("method"))?,
            funder: Funder::parse(&row.funder).ok_or_else(|| corrupt("funder"))?,
            airline_return: airline_return.map(|terms| terms.ok_or_else(|| corrupt("return"))).transpose()?,
            effective_from: row.effective_from,
            effective_until: row.effective_until,
            tiers: own,
            created_at: row.created_at,
            name: row.name,
        })
    }
}

/// What a tier pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierReward {
    /// Of the fare.
    Rate(Rate),
    PerTicket(Money),
}

#[derive(Clone, Debug)]
pub struct NewProgramme {
    pub name: String,
    pub agency: Option<AgencyId>,
    pub tier: Option<agencies::Tier>,
    pub airline: AirlineId,
    pub currency: Currency,
    pub period: PeriodLength,
    pub measure: Measure,
    pub method: Method,
    pub funder: Funder,
    pub airline_return: Option<AirlineReturn>,
    pub effective_from: NaiveDate,
    pub effective_until: Option<NaiveDate>,
    /// Thresholds in minor units of fare, or tickets.
    pub tiers: Vec<(i64, TierReward)>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProgrammeError {
    #[error("a programme is for one agency or for a tier, not for both")]
    AgencyAndTier,
    #[error("there is no such agency")]
    NoAgency,
    #[error("there is no such airline")]
    NoAirline,
    #[error("the agency sells in {0}")]
    CurrencyMismatch(Currency),
    #[error("a programme has 1 to 20 tiers with different thresholds, none below zero")]
    Tiers,
    #[error("a rate is above 0 and at most 1, with at most 8 decimals; an amount per ticket is above zero")]
    Reward,
    #[error("fares are rewarded by a rate and tickets by an amount each")]
    RewardOfMeasure,
    #[error("the airline's way of paying is said where the airline pays, and nowhere else")]
    AirlineReturn,
    #[error("a programme begins on {first}, the first day of the running period, or later")]
    Backdated { first: NaiveDate },
    #[error("a programme ends before it begins")]
    Dates,
    #[error(transparent)]
    Db(#[from] DbError),
}

fn check(new: &NewProgramme, today: NaiveDate) -> Result<(), ProgrammeError> {
    if new.agency.is_some() && new.tier.is_some() {
        return Err(ProgrammeError::AgencyAndTier);
    }
    let mut thresholds: Vec<i64> = new.tiers.iter().map(|(from, _)| *from).collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    if thresholds.len() != new.tiers.len()
        || !(1..=20).contains(&new.tiers.len())
        || thresholds.first().is_some_and(|from| *from < 0)
    {
        return Err(ProgrammeError::Tiers);
    }
    for (_, reward) in &new.tiers {
        match (new.measure, reward) {
            (Measure::Fare, TierReward::Rate(rate)) => {
                let rate = rate.decimal();
                if rate <= Decimal::ZERO || rate > Decimal::ONE || rate.normalize().scale() > 8 {
                    return Err(ProgrammeError::Reward);
                }
            }
            (Measure::Tickets, TierReward::PerTicket(amount)) if amount.currency == new.currency => {
                if amount.minor <= 0 {
                    return Err(ProgrammeError::Reward);
                }
            }
            _ => return Err(ProgrammeError::RewardOfMeasure),
        }
    }
    if new.airline_return.is_some() != (new.funder == Funder::Airline) {
        return Err(ProgrammeError::AirlineReturn);
    }
    let first = Period::of(today, new.period).starts_on;
    if new.effective_from < first {
        return Err(ProgrammeError::Backdated { first });
    }
    if new.effective_until.is_some_and(|until| until < new.effective_from) {
        return Err(ProgrammeError::Dates);
    }
    Ok(())
}

/// Opens a programme. What was sold since its beginning is accrued by the next run of the job.
pub fn open_programme(tx: &mut WriteTx, new: &NewProgramme) -> Result<Programme, ProgrammeError> {
    check(new, tx.ledger_date)?;
    if let Some(id) = new.agency {
        let agency = agency(tx.db, id)?.ok_or(ProgrammeError::NoAgency)?;
        if agency.currency != new.currency {
            return Err(ProgrammeError::CurrencyMismatch(agency.currency));
        }
    }
    airline(tx.db, new.airline)?.ok_or(ProgrammeError::NoAirline)?;
    let row = ProgrammeRow {
        id: tx.ids.next::<IncentiveProgrammeId>().raw(),
        name: new.name.clone(),
        agency_id: new.agency.map(Id::raw),
        agency_tier: new.tier.as_ref().map(ToString::to_string),
        airline_id: new.airline.raw(),
        currency: new.currency.code().to_owned(),
        period: new.period.text().to_owned(),
        measure: new.measure.text().to_owned(),
        method: new.method.text().to_owned(),
        funder: new.funder.text().to_owned(),
        airline_return: new.airline_return.map(|terms| terms.text().to_owned()),
        effective_from: new.effective_from,
        effective_until: new.effective_until,
        created_at: tx.now.naive(),
    };
    let tier = |(threshold, reward): &(i64, TierReward)| {
        let (rate, amount_minor) = match reward {
            TierReward::Rate(rate) => (Some(rate.to_string()), None),
            TierReward::PerTicket(amount) => (None, Some(amount.minor)),
        };
        TierRow { programme_id: row.id, threshold: *threshold, rate, amount_minor }
    };
    let tiers: Vec<TierRow> = new.tiers.iter().map(tier).collect();
    insert(tx, &[RowSet::of(std::slice::from_ref(&row)), RowSet::of(&tiers)])?;
    Ok(Programme::of(row, &tiers)?)
}

fn with_tiers(db: &mut Db, rows: Vec<ProgrammeRow>) -> Result<Vec<Programme>, DbError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let tiers = incentive_tier::table.filter(incentive_tier::programme_id.eq_any(ids));
    let tiers: Vec<TierRow> = tiers.select(TierRow::as_select()).load(db)?;
    rows.into_iter().map(|row| Programme::of(row, &tiers)).collect()
}

pub fn programme(db: &mut Db, id: IncentiveProgrammeId) -> Result<Option<Programme>, DbError> {
    let row = incentive_programme::table.find(id.raw()).select(ProgrammeRow::as_select()).first(db).optional()?;
    Ok(with_tiers(db, row.into_iter().collect())?.pop())
}

/// Every programme, oldest first.
pub fn all_programmes(db: &mut Db) -> Result<Vec<Programme>, DbError> {
    let rows = incentive_programme::table.order(incentive_programme::id).select(ProgrammeRow::as_select()).load(db)?;
    with_tiers(db, rows)
}

/// Whose programmes; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct ProgrammeFilter {
    /// Those that can be for one of these agencies, with their tiers.
    pub agencies: Option<Vec<(AgencyId, agencies::Tier)>>,
    pub airlines: Option<Vec<AirlineId>>,
}

impl ProgrammeFilter {
    pub fn sees(&self, programme: &Programme) -> bool {
        let own =
            |agencies: &Vec<(AgencyId, agencies::Tier)>| agencies.iter().any(|(id, tier)| programme.is_for(*id, tier.text()));
        self.agencies.as_ref().is_none_or(own) && self.airlines.as_ref().is_none_or(|own| own.contains(&programme.airline))
    }
}

pub fn programmes(db: &mut Db, filter: &ProgrammeFilter, window: Window, limit: i64) -> Result<Vec<Programme>, DbError> {
    let mut query = windowed!(incentive_programme::table.into_boxed(), incentive_programme::id, window, limit);
    if let Some(own) = &filter.agencies {
        let raw: Vec<i64> = own.iter().map(|(id, _)| id.raw()).collect();
        let tiers: Vec<String> = own.iter().map(|(_, tier)| tier.to_string()).collect();
        query = query
            .filter(incentive_programme::agency_id.is_null().or(incentive_programme::agency_id.eq_any(raw)))
            .filter(incentive_programme::agency_tier.is_null().or(incentive_programme::agency_tier.eq_any(tiers)));
    }
    if let Some(own) = &filter.airlines {
        query = query.filter(incentive_programme::airline_id.eq_any(own.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows = query.select(ProgrammeRow::as_select()).load(db)?;
    with_tiers(db, rows)
}

/// The most that a ticket of this fare may earn an agency at the platform's expense from a day on, under any programme that has not ended: the highest tier,
/// as if it were reached.
pub fn highest_platform_incentive(
    db: &mut Db,
    agency: AgencyId,
    tier: Option<&agencies::Tier>,
    airline: Option<AirlineId>,
    fare: Money,
    from: NaiveDate,
) -> Result<Money, DbError> {
    let mut highest = Decimal::ZERO;
    for programme in all_programmes(db)? {
        let is_its = programme.is_for(agency, tier.map_or("", |tier| tier.text()))
            && airline.is_none_or(|airline| airline == programme.airline)
            && programme.currency == fare.currency
            && programme.effective_until.is_none_or(|until| until >= from);
        if programme.funder != Funder::Platform || !is_its {
            continue;
        }
        let units = match programme.measure {
            Measure::Fare => Decimal::from(fare.minor),
            Measure::Tickets => Decimal::ONE,
        };
        let most = programme.tiers.iter().map(|tier| tier.per_unit).max().unwrap_or_default();
        highest = highest.max(most.checked_mul(units).unwrap_or(Decimal::MAX));
    }
    let one = Money::new(1, fare.currency);
    one.portion(crate::money::Rate::from(highest)).map_err(|error| DbError::Corrupt(format!("incentives: {error}")))
}
