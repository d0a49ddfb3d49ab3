//! What time costs an agency: financing of what is not remitted when the free days after the cycle are over, and on top of it a late fee for each day after
//! the due date, as the contract said when the cycle was closed. Charged for days that are over, each once; missed days are made up. A payment counts from its value date: what was charged before it became known is booked back with the next day.
//! Locks: the agency, accounts.

use super::allocation::settlements_of_cycle;
use super::cycles::cycle_standing;
use super::obligation::{Debtor, ObligationRow, debtor, obligation};
use crate::audit::Actor;
use crate::db::schema::{obligation, obligation_charge};
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AgencyId, ContractId, Id, ObligationChargeId, ObligationId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, post_all};
use crate::money::{Money, MoneyError, divide_half_even};
use chrono::{Days, NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ChargeRow in obligation_charge {
        id: i64,
        obligation_id: i64,
        kind: String,
        day: NaiveDate,
        /// Unpaid at the close of the day, as it was known when it was charged.
        balance_minor: i64,
        total_scaled: String,
        total_booked_minor: i64,
        booked_minor: i64,
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
    }
}

/// What is charged day by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeKind {
    /// For each day after the due date.
    LateFee,
    /// For each day after the free days.
    Financing,
}

/// Rates are in units of 1e-8.
const RATE_UNITS: i128 = 100_000_000;

impl ChargeKind {
    pub const ALL: [ChargeKind; 2] = [ChargeKind::LateFee, ChargeKind::Financing];

    pub fn text(self) -> &'static str {
        match self {
            ChargeKind::LateFee => "late_fee",
            ChargeKind::Financing => "financing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ChargeKind::ALL.into_iter().find(|kind| kind.text() == text)
    }

    /// What an exact sum is divided by: a late fee is a rate of a day, financing one of a year of 360.
    pub(super) fn scale(self) -> i128 {
        match self {
            ChargeKind::LateFee => RATE_UNITS,
            ChargeKind::Financing => RATE_UNITS.saturating_mul(360),
        }
    }

    fn rate_e8(self, row: &ObligationRow) -> i64 {
        match self {
            ChargeKind::LateFee => row.late_rate_e8,
            ChargeKind::Financing => row.financing_rate_e8,
        }
    }

    fn first_day(self, row: &ObligationRow) -> Result<Option<NaiveDate>, DbError> {
        Ok(match self {
            ChargeKind::LateFee => row.due_on.succ_opt(),
            ChargeKind::Financing => {
                let free = u64::try_from(row.free_days).unwrap_or(0).saturating_add(1);
                row.cycle()?.last_day().checked_add_days(Days::new(free))
            }
        })
    }

    fn event(self) -> Event {
        match self {
            ChargeKind::LateFee => Event::LateFeeCharged,
            ChargeKind::Financing => Event::FinancingCharged,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    #[error("there is no such obligation")]
    NotFound,
    #[error("the sum is too large")]
    Overflow,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Obligations with days that are over and not looked at: those that are owed, and those that were settled since they were looked at last.
pub fn chargeable(db: &mut Db, today: NaiveDate) -> Result<Vec<ObligationId>, DbError> {
    let costs = obligation::late_rate_e8.gt(0).or(obligation::financing_rate_e8.gt(0));
    let looked_at = obligation::charged_through;
    let is_behind = looked_at.is_null().or(looked_at.lt(today.pred_opt()));
    let ended = obligation::state.eq_any(["paid", "written_off", "defaulted"]);
    let was_seen_ending = ended.and(looked_at.is_not_null()).and(looked_at.ge(obligation::state_since.nullable()));
    let open = obligation::table.filter(costs).filter(is_behind).filter(diesel::dsl::not(was_seen_ending.assume_not_null()));
    let ids: Vec<i64> = open.order(obligation::id).select(obligation::id).load(db)?;
    Ok(ids.into_iter().map(ObligationId::of).collect())
}

/// The unpaid balance by day: what is owed now and what was paid after the day.
struct Unpaid {
    now: i64,
    paid: Vec<(NaiveDate, i64)>,
}

impl Unpaid {
    fn read(db: &mut Db, row: &ObligationRow) -> Result<Self, ChargeError> {
        let (agency, currency, cycle) = (AgencyId::of(row.agency_id), row.money_currency()?, row.cycle()?);
        let standing = cycle_standing(db, agency, currency, cycle)?;
        let now = standing.map_or(Ok(0), |standing| standing.open_net().map(|open| open.minor))?;
        let settled = settlements_of_cycle(db, agency, currency, cycle)?;
        Ok(Unpaid { now, paid: settled.into_iter().map(|one| (one.day, one.amount_minor)).collect() })
    }

    fn at_close_of(&self, day: NaiveDate) -> Result<i64, ChargeError> {
        let later = self.paid.iter().filter(|(paid_on, _)| *paid_on > day).map(|(_, minor)| *minor);
        let balance = later.into_iter().try_fold(self.now, i64::checked_add).ok_or(ChargeError::Overflow)?;
        Ok(balance.max(0))
    }
}

/// Charges every day that is over; answers what it booked.
pub fn charge(tx: &mut WriteTx, actor: Actor, id: ObligationId) -> Result<Vec<ChargeRow>, ChargeError> {
    let known = obligation(tx.db, id)?.ok_or(ChargeError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let row = obligation(tx.db, id)?.ok_or(ChargeError::NotFound)?;
    let Some(through) = tx.ledger_date.pred_opt() else { return Ok(Vec::new()) };
    if row.charged_through.is_some_and(|looked_at| looked_at >= through) {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    // A default ends the charges; nobody pays them.
    if debtor(tx.db, AgencyId::of(row.agency_id))? == Debtor::Trading {
        let unpaid = Unpaid::read(tx.db, &row)?;
        for kind in ChargeKind::ALL {
            rows.extend(days_of(tx, &row, kind, &unpaid, through)?);
        }
    }
    book(tx, actor, &row, &mut rows)?;
    insert(tx, &[RowSet::of(&rows)])?;
    update(tx, "obligation", &["charged_through"], &[Change { id: row.id, values: vec![Some(through).into()] }])?;
    Ok(rows)
}

fn booked_so_far(db: &mut Db, id: i64, kind: ChargeKind) -> Result<i64, DbError> {
    let of = obligation_charge::table.filter(obligation_charge::obligation_id.eq(id));
    let of = of.filter(obligation_charge::kind.eq(kind.text())).order(obligation_charge::day.desc());
    Ok(of.select(obligation_charge::total_booked_minor).first(db).optional()?.unwrap_or(0))
}

/// One exact sum over all days so far, divided once; each new day books what that adds to what is booked.
fn days_of(
    tx: &mut WriteTx,
    row: &ObligationRow,
    kind: ChargeKind,
    unpaid: &Unpaid,
    through: NaiveDate,
) -> Result<Vec<ChargeRow>, ChargeError> {
    let (rate, mut booked) = (kind.rate_e8(row), booked_so_far(tx.db, row.id, kind)?);
    let Some(first) = kind.first_day(row)?.filter(|_| rate > 0) else { return Ok(Vec::new()) };
    let (mut total, mut rows) = (0i128, Vec::new());
    for day in first.iter_days().take_while(|day| *day <= through) {
        let balance_minor = unpaid.at_close_of(day)?;
        let daily = i128::from(balance_minor).checked_mul(i128::from(rate)).ok_or(ChargeError::Overflow)?;
        total = total.checked_add(daily).ok_or(ChargeError::Overflow)?;
        if row.charged_through.is_some_and(|looked_at| day <= looked_at) {
            continue;
        }
        let owed = divide_half_even(total, kind.scale()).and_then(|minor| i64::try_from(minor).ok());
        let total_booked_minor = owed.ok_or(ChargeError::Overflow)?;
        let booked_minor = total_booked_minor.checked_sub(booked).ok_or(ChargeError::Overflow)?;
        booked = total_booked_minor;
        if balance_minor > 0 || booked_minor != 0 {
            rows.push(ChargeRow {
                id: tx.ids.next::<ObligationChargeId>().raw(),
                obligation_id: row.id,
                kind: kind.text().to_owned(),
                day,
                balance_minor,
                total_scaled: total.to_string(),
                total_booked_minor,
                booked_minor,
                posting_id: None,
                created_at: tx.now.naive(),
            });
        }
    }
    Ok(rows)
}

fn book(tx: &mut WriteTx, actor: Actor, row: &ObligationRow, rows: &mut [ChargeRow]) -> Result<(), ChargeError> {
    let currency = row.money_currency()?;
    let charges = AccountKey::agency(AccountCode::AgencyCharges, AgencyId::of(row.agency_id), currency);
    let income = AccountKey::platform(AccountCode::PlatformFinanceIncome, currency);
    let mut drafts = Vec::new();
    for one in rows.iter().filter(|one| one.booked_minor != 0) {
        let amount = Money::new(one.booked_minor, currency);
        let kind = ChargeKind::parse(&one.kind).ok_or_else(|| DbError::Corrupt(format!("kind of charge {}", one.id)))?;
        let event = kind.event();
        let legs = vec![Leg::debit(charges.clone(), amount), Leg::credit(income.clone(), amount)?];
        drafts.push(Draft { event, reference: one.id, contract: row.contract_id.map(ContractId::of), actor, legs });
    }
    let postings = if drafts.is_empty() { Vec::new() } else { post_all(tx, &drafts)? };
    for (one, posting) in rows.iter_mut().filter(|one| one.booked_minor != 0).zip(postings) {
        one.posting_id = Some(posting.raw());
    }
    Ok(())
}

/// The charges of one obligation, newest first.
pub fn charges_of(db: &mut Db, id: ObligationId, window: Window, limit: i64) -> Result<Vec<ChargeRow>, DbError> {
    let of = obligation_charge::table.filter(obligation_charge::obligation_id.eq(id.raw())).into_boxed();
    Ok(windowed!(of, obligation_charge::id, window, limit).select(ChargeRow::as_select()).load(db)?)
}
