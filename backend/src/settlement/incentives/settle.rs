//! A period is settled when it is over and everything of it is counted: the agency's incentive lowers what it owes in its open cycle, and an airline that
//! funds it owes it from then on as a claim. Once per agency and period; the agencies of one call are one commit, and the rest is left for the next call.
//! Locks: agencies, the programme, accounts.

use super::accrue::{IncentiveError, PeriodRow, cursors};
use super::programme::{Funder, Period, Programme, programme};
use crate::agencies::{Contract, agencies_by_id, contracts, in_force};
use crate::audit::Cause;
use crate::credit::open_incentive_claims;
use crate::db::schema::incentive_period;
use crate::db::{Change, Contended, Db, DbError, Window, WriteTx, lock, update, windowed};
use crate::ids::{AgencyId, AirlineId, Id, IncentivePeriodId, IncentiveProgrammeId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, is_booked_behind, post_all};
use crate::money::{Money, MoneyError};
use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;
use diesel::prelude::*;

/// A commit carries the time at which it began; none takes this long.
const COMMITS_END_WITHIN: Duration = Duration::seconds(60);

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("there is no such programme")]
    NoProgramme,
    #[error("the programme is settled by {0}")]
    WrongLength(&'static str),
    #[error("the period is over on {last_day}; it can be settled a minute after that")]
    NotOver { last_day: NaiveDate },
    #[error("not everything that was sold until {last_day} is counted yet")]
    NotCounted { last_day: NaiveDate },
    #[error(transparent)]
    Incentive(#[from] IncentiveError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for SettleError {
    fn from(error: diesel::result::Error) -> Self {
        SettleError::Db(error.into())
    }
}

/// What one call settled.
#[derive(Clone, Debug)]
pub struct Settled {
    pub periods: Vec<PeriodRow>,
    /// Agencies whose period is still to be settled.
    pub remaining: i64,
}

/// Settles a period for at most `limit` agencies.
pub fn settle_period(
    tx: &mut WriteTx,
    cause: &Cause,
    id: IncentiveProgrammeId,
    period: Period,
    zone: Tz,
    limit: usize,
) -> Result<Settled, SettleError> {
    let programme = programme(tx.db, id)?.ok_or(SettleError::NoProgramme)?;
    if period.length != programme.period {
        return Err(SettleError::WrongLength(programme.period.text()));
    }
    let last_day = period.last_day();
    if tx.now.plus(-COMMITS_END_WITHIN).date_in(zone) <= last_day {
        return Err(SettleError::NotOver { last_day });
    }
    let agencies = unsettled(tx.db, &programme, period)?;
    let now: Vec<i64> = agencies.iter().map(|row| row.agency_id).take(limit).collect();
    lock(tx, Contended::Agency, &now)?;
    lock(tx, Contended::IncentiveProgramme, &[programme.id.raw()])?;
    let counted = cursors(tx.db, &programme)?;
    if !is_booked_behind(tx.db, last_day, &counted)? {
        return Err(SettleError::NotCounted { last_day });
    }
    // Again, under the locks.
    let (due, left): (Vec<PeriodRow>, Vec<PeriodRow>) =
        unsettled(tx.db, &programme, period)?.into_iter().partition(|row| now.contains(&row.agency_id));
    let periods = settle(tx, cause, &programme, due)?;
    Ok(Settled { periods, remaining: i64::try_from(left.len()).unwrap_or(i64::MAX) })
}

/// Settles everything of one agency that is over and counted, whatever the programme: what it has earned counts against what it owes in a default. The caller
/// holds the agency's lock.
pub(in crate::settlement) fn settle_agency(tx: &mut WriteTx, cause: &Cause, agency: AgencyId) -> Result<(), SettleError> {
    let open = incentive_period::table
        .filter(incentive_period::agency_id.eq(agency.raw()))
        .filter(incentive_period::settled_at.is_null());
    let open: Vec<PeriodRow> = open.order(incentive_period::id).select(PeriodRow::as_select()).load(&mut *tx.db)?;
    let mut programmes: Vec<i64> = open.iter().map(|row| row.programme_id).collect();
    programmes.sort_unstable();
    programmes.dedup();
    lock(tx, Contended::IncentiveProgramme, &programmes)?;
    for id in programmes {
        let programme = programme(tx.db, IncentiveProgrammeId::of(id))?.ok_or(SettleError::NoProgramme)?;
        let counted = cursors(tx.db, &programme)?;
        // Again, under the programme's lock.
        let rows = incentive_period::table
            .filter(incentive_period::agency_id.eq(agency.raw()))
            .filter(incentive_period::programme_id.eq(id))
            .filter(incentive_period::settled_at.is_null());
        let rows: Vec<PeriodRow> = rows.order(incentive_period::id).select(PeriodRow::as_select()).load(&mut *tx.db)?;
        let mut due = Vec::new();
        for row in rows {
            let last_day = Period { starts_on: row.starts_on, length: programme.period }.last_day();
            if last_day < tx.ledger_date && is_booked_behind(tx.db, last_day, &counted)? {
                due.push(row);
            }
        }
        settle(tx, cause, &programme, due)?;
    }
    Ok(())
}

fn unsettled(db: &mut Db, programme: &Programme, period: Period) -> Result<Vec<PeriodRow>, DbError> {
    let of = incentive_period::table
        .filter(incentive_period::programme_id.eq(programme.id.raw()))
        .filter(incentive_period::starts_on.eq(period.starts_on))
        .filter(incentive_period::settled_at.is_null());
    Ok(of.order(incentive_period::agency_id).select(PeriodRow::as_select()).load(db)?)
}

fn settle(
    tx: &mut WriteTx,
    cause: &Cause,
    programme: &Programme,
    mut due: Vec<PeriodRow>,
) -> Result<Vec<PeriodRow>, SettleError> {
    let ids: Vec<AgencyId> = due.iter().map(|row| AgencyId::of(row.agency_id)).collect();
    let agencies = agencies_by_id(tx.db, &ids)?;
    let signed = contracts(tx.db, Some(&ids), Window::NEWEST, i64::MAX)?;
    let mut drafts = Vec::new();
    for row in due.iter_mut().filter(|row| row.accrued_minor > 0) {
        let agency = agencies.iter().find(|agency| agency.id.raw() == row.agency_id);
        let agency = agency.ok_or_else(|| DbError::Corrupt(format!("incentive period {} has no agency", row.id)))?;
        let today = tx.now.date_in(agency.zone);
        let own: Vec<Contract> = signed.iter().filter(|contract| contract.agency == agency.id).cloned().collect();
        let terms = in_force(&own, programme.airline, programme.currency, today);
        let rule = terms.map(|terms| terms.payment.cycle_rule).unwrap_or_default();
        let cycle = rule.cycle_of(today).to_string();
        let amount = Money::new(row.accrued_minor, programme.currency);
        let account = |code| AccountKey::agency(code, agency.id, programme.currency);
        let legs = vec![
            Leg::debit(account(AccountCode::AgencyIncentive), amount),
            Leg::credit(account(AccountCode::AgencyReceivable), amount)?.in_cycle(&cycle),
        ];
        row.cycle = Some(cycle);
        drafts.push(Draft { event: Event::IncentiveSettled, reference: row.id, contract: None, actor: cause.actor, legs });
    }
    let postings = post_all(tx, &drafts)?;
    for (draft, posting) in drafts.iter().zip(postings) {
        if let Some(row) = due.iter_mut().find(|row| row.id == draft.reference) {
            row.posting_id = Some(posting.raw());
        }
    }
    for row in &mut due {
        row.settled_at = Some(tx.now.naive());
    }
    let change = |row: &PeriodRow| Change {
        id: row.id,
        values: vec![row.cycle.clone().into(), row.posting_id.into(), row.settled_at.into()],
    };
    update(tx, "incentive_period", &["cycle", "posting_id", "settled_at"], &due.iter().map(change).collect::<Vec<_>>())?;
    if programme.funder == Funder::Airline {
        let owed = due.iter().filter(|row| row.accrued_minor > 0);
        let owed: Vec<(IncentivePeriodId, Money)> =
            owed.map(|row| (IncentivePeriodId::of(row.id), Money::new(row.accrued_minor, programme.currency))).collect();
        open_incentive_claims(tx, programme.airline, programme.terms(), &owed)?;
    }
    Ok(due)
}

/// Which periods; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct PeriodFilter {
    pub programme: Option<IncentiveProgrammeId>,
    pub agencies: Option<Vec<AgencyId>>,
    /// Of programmes of these airlines that the airline funds.
    pub airlines: Option<Vec<AirlineId>>,
}

impl PeriodFilter {
    pub fn sees(&self, row: &PeriodRow, programme: &Programme) -> bool {
        let funds = |own: &Vec<AirlineId>| programme.funder == Funder::Airline && own.contains(&programme.airline);
        self.agencies.as_ref().is_none_or(|own| own.iter().any(|id| id.raw() == row.agency_id))
            && self.airlines.as_ref().is_none_or(funds)
    }
}

pub fn periods(db: &mut Db, filter: &PeriodFilter, window: Window, limit: i64) -> Result<Vec<PeriodRow>, DbError> {
    use crate::db::schema::incentive_programme;
    let mut query = windowed!(incentive_period::table.into_boxed(), incentive_period::id, window, limit);
    if let Some(id) = filter.programme {
        query = query.filter(incentive_period::programme_id.eq(id.raw()));
    }
    if let Some(agencies) = &filter.agencies {
        query = query.filter(incentive_period::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(airlines) = &filter.airlines {
        let of = incentive_programme::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>());
        let of = incentive_programme::table.filter(of).filter(incentive_programme::funder.eq(Funder::Airline.text()));
        let own: Vec<i64> = of.select(incentive_programme::id).load(db)?;
        query = query.filter(incentive_period::programme_id.eq_any(own));
    }
    Ok(query.select(PeriodRow::as_select()).load(db)?)
}

pub fn period(db: &mut Db, id: IncentivePeriodId) -> Result<Option<PeriodRow>, DbError> {
    Ok(incentive_period::table.find(id.raw()).select(PeriodRow::as_select()).first(db).optional()?)
}
