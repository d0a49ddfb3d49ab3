//! The bank line that pays airlines: its limit, and whether it takes new holds. It fails closed, never open.

use super::room::Room;
use crate::clock::Timestamp;
use crate::db::schema::{advance, facility, facility_slice};
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, lock_within, rows, windowed};
use crate::identity::{OrganisationKind, organisation};
use crate::ids::{FacilityId, Id, OrganisationId, SliceId};
use crate::ledger::{AccountCode, AccountKey, Book, balances, open_accounts};
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::prelude::ToPrimitive;

rows! {
    pub struct FacilityRow in facility {
        id: i64,
        organisation_id: i64,
        name: String,
        currency: String,
        debit_account: String,
        base_rate: String,
        margin_rate: String,
        day_count: String,
        status: String,
        closed_reason: Option<String>,
        closed_at: Option<NaiveDateTime>,
        max_unconfirmed: i64,
        max_unresolved_secs: i64,
        created_at: NaiveDateTime,
    }

    /// A node's share of the limit; its row is what a sale locks. One slice covers the whole facility so far.
    pub struct SliceRow in facility_slice {
        id: i64,
        facility_id: i64,
        stripe: i64,
        limit_minor: i64,
        unconfirmed: i64,
    }
}

#[derive(Clone, Debug)]
pub struct Facility {
    pub id: FacilityId,
    pub bank: OrganisationId,
    pub name: String,
    pub limit: Money,
    pub slice: SliceId,
    /// The account at the bank that its payments are drawn from.
    pub debit_account: String,
    pub base_rate: Rate,
    pub margin_rate: Rate,
    pub day_count: String,
    /// Why it was closed, where it was closed for more than the age or number of its advances.
    pub closed_reason: Option<String>,
    pub unconfirmed: i64,
    pub max_unconfirmed: i64,
    pub max_unresolved: Duration,
    pub created_at: NaiveDateTime,
}

/// What the reason of a facility begins with that a person closed.
const BY_HAND: &str = "closed by the operator: ";
/// And of one whose kill switch is on: two people lift that.
const BY_SWITCH: &str = "kill switch: ";

impl Facility {
    fn of(row: FacilityRow, slice: &SliceRow) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt(format!("facility {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(corrupt)?;
        Ok(Facility {
            id: FacilityId::of(row.id),
            bank: OrganisationId::of(row.organisation_id),
            limit: Money::new(slice.limit_minor, currency),
            slice: SliceId::of(slice.id),
            base_rate: Rate::parse(&row.base_rate).map_err(corrupt)?,
            margin_rate: Rate::parse(&row.margin_rate).map_err(corrupt)?,
            closed_reason: (row.status == "closed").then(|| row.closed_reason.unwrap_or_default()),
            unconfirmed: slice.unconfirmed,
            max_unresolved: Duration::seconds(row.max_unresolved_secs),
            name: row.name,
            debit_account: row.debit_account,
            day_count: row.day_count,
            max_unconfirmed: row.max_unconfirmed,
            created_at: row.created_at,
        })
    }
}

/// Reasons for which a facility closes by itself and may reopen by itself. Any other reason is a person's, and so is the reopening.
pub(super) const REFUSED: &str = "the bank refused an advance";
pub(super) const WRONG_AMOUNT: &str = "the bank settled an advance at another amount";
/// For a person to settle with the bank.
pub(super) const CONTRADICTED: &str = "the bank settled an attempt that it had refused before";

impl Facility {
    /// Base and margin per year, in units of 1e-8.
    pub fn rate_e8(&self) -> i64 {
        let sum = self.base_rate.decimal() + self.margin_rate.decimal();
        (sum * rust_decimal::Decimal::from(100_000_000)).to_i64().unwrap_or(0)
    }

    /// Days in the year that its rate is for.
    pub fn day_count_base(&self) -> i128 {
        if self.day_count == "ACT/360" { 360 } else { 365 }
    }

    fn has_switch_on(&self) -> bool {
        self.closed_reason.as_deref().is_some_and(|reason| reason.starts_with(BY_SWITCH))
    }

    pub fn is_closed_by_itself(&self) -> bool {
        self.closed_reason.as_deref().is_some_and(|reason| [REFUSED, WRONG_AMOUNT].contains(&reason))
    }
}

/// A facility with what is drawn and held on it.
#[derive(Clone, Debug)]
pub struct FacilityState {
    pub facility: Facility,
    pub drawn: Money,
    pub held: Money,
    /// When the ticket of the oldest advance that is not resolved was sold.
    pub oldest_unresolved: Option<Timestamp>,
}

/// Why a facility takes no new holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Somebody or something closed it, for this reason.
    For(String),
    /// An advance has been unresolved for longer than the facility allows.
    UnresolvedTooLong,
    /// Too many advances are in flight.
    TooManyUnconfirmed,
}

impl Closed {
    pub fn reason(&self) -> &str {
        match self {
            Closed::For(reason) => reason,
            Closed::UnresolvedTooLong => "an advance has been unresolved for too long",
            Closed::TooManyUnconfirmed => "too many advances are unconfirmed",
        }
    }
}

/// Whether a facility takes new holds; `adding` more advances are about to be in flight.
pub fn gate(state: &FacilityState, adding: i64, now: Timestamp) -> Result<(), Closed> {
    let facility = &state.facility;
    if let Some(reason) = &facility.closed_reason {
        return Err(Closed::For(reason.clone()));
    }
    if state.oldest_unresolved.is_some_and(|sold_at| now.since(sold_at) > facility.max_unresolved) {
        return Err(Closed::UnresolvedTooLong);
    }
    if facility.unconfirmed.saturating_add(adding) > facility.max_unconfirmed {
        return Err(Closed::TooManyUnconfirmed);
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum FacilityError {
    #[error("a limit is not negative")]
    Limit,
    #[error("a rate is between 0 and 1 and has at most 8 decimals")]
    Rate,
    #[error("interest is counted ACT/360 or ACT/365F")]
    DayCount,
    #[error("advances in flight and the seconds that one may be unresolved are more than zero")]
    Bounds,
    #[error("no such organisation of kind bank")]
    NoBank,
    #[error("no such facility")]
    NotFound,
    #[error("the limit's currency is not the facility's")]
    CurrencyMismatch,
    #[error("an advance of this facility is unresolved: it reopens when the bank has answered for it")]
    Unresolved,
    #[error("a kill switch is on: two people lift it")]
    SwitchOn,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// How days of interest are counted.
const DAY_COUNTS: [&str; 2] = ["ACT/360", "ACT/365F"];

#[derive(Clone, Debug)]
pub struct NewFacility {
    pub bank: OrganisationId,
    pub name: String,
    pub limit: Money,
    pub debit_account: String,
    pub base_rate: Rate,
    pub margin_rate: Rate,
    pub day_count: String,
    pub max_unconfirmed: i64,
    pub max_unresolved_secs: i64,
}

pub fn interest_account(facility: FacilityId, currency: Currency) -> AccountKey {
    AccountKey::facility(AccountCode::BankInterest, facility, currency)
}

pub fn loan_account(facility: FacilityId, currency: Currency) -> AccountKey {
    AccountKey::facility(AccountCode::BankLoan, facility, currency)
}

pub fn open_facility(tx: &mut WriteTx, new: NewFacility) -> Result<Facility, FacilityError> {
    if new.limit.is_negative() {
        return Err(FacilityError::Limit);
    }
    let one = rust_decimal::Decimal::ONE;
    let in_range = |rate: &Rate| !rate.is_negative() && rate.decimal() <= one && rate.decimal().normalize().scale() <= 8;
    if ![new.base_rate, new.margin_rate].iter().all(in_range) {
        return Err(FacilityError::Rate);
    }
    if !DAY_COUNTS.contains(&new.day_count.as_str()) {
        return Err(FacilityError::DayCount);
    }
    if new.max_unconfirmed <= 0 || new.max_unresolved_secs <= 0 {
        return Err(FacilityError::Bounds);
    }
    let bank = organisation(tx.db, new.bank)?;
    if bank.is_none_or(|bank| bank.kind != OrganisationKind::Bank) {
        return Err(FacilityError::NoBank);
    }
    let row = FacilityRow {
        id: tx.ids.next::<FacilityId>().raw(),
        organisation_id: new.bank.raw(),
        name: new.name,
        currency: new.limit.currency.code().to_owned(),
        debit_account: new.debit_account,
        base_rate: new.base_rate.to_string(),
        margin_rate: new.margin_rate.to_string(),
        day_count: new.day_count,
        status: "open".to_owned(),
        closed_reason: None,
        closed_at: None,
        max_unconfirmed: new.max_unconfirmed,
        max_unresolved_secs: new.max_unresolved_secs,
        created_at: tx.now.naive(),
    };
    let slice = SliceRow {
        id: tx.ids.next::<SliceId>().raw(),
        facility_id: row.id,
        stripe: 0,
        limit_minor: new.limit.minor,
        unconfirmed: 0,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    insert(tx, &[RowSet::of(std::slice::from_ref(&slice))])?;
    open_accounts(tx, &[loan_account(FacilityId::of(row.id), new.limit.currency)])?;
    tell(tx, EventType::FacilityOpened, FacilityId::of(row.id))?;
    Ok(Facility::of(row, &slice)?)
}

/// A limit below what is drawn and held is allowed: it only stops new holds.
pub fn set_facility_limit(tx: &mut WriteTx, id: FacilityId, limit: Money) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if limit.is_negative() {
        return Err(FacilityError::Limit);
    }
    if limit.currency != current.limit.currency {
        return Err(FacilityError::CurrencyMismatch);
    }
    let slice = facility_slice::table.find(current.slice.raw());
    diesel::update(slice).set(facility_slice::limit_minor.eq(limit.minor)).execute(&mut *tx.db).map_err(DbError::from)?;
    tell(tx, EventType::FacilityLimitChanged, id)?;
    Ok(Facility { limit, ..current })
}

/// From the next commit on no new hold is taken. The first reason stays.
pub fn close_facility(tx: &mut WriteTx, id: FacilityId, reason: &str) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if current.closed_reason.is_some() {
        return Ok(current);
    }
    close(tx, current, reason)
}

/// Closed by a person, whatever else it was closed for: it stays closed until a person reopens it.
pub fn close_facility_by_hand(tx: &mut WriteTx, id: FacilityId, reason: &str) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if current.has_switch_on() {
        return Ok(current);
    }
    close(tx, current, &format!("{BY_HAND}{reason}"))
}

/// Closed by a kill switch, whatever else it was closed for.
pub(super) fn close_for_switch(tx: &mut WriteTx, id: FacilityId, reason: &str) -> Result<(), FacilityError> {
    let current = lock_facility(tx, id)?;
    let reason = format!("{BY_SWITCH}{reason}");
    if current.closed_reason.as_ref() != Some(&reason) {
        close(tx, current, &reason)?;
    }
    Ok(())
}

/// Its last kill switch was lifted: it is reopened like one that was closed by hand, when its bank answers.
pub(super) fn keep_closed_after_switch(tx: &mut WriteTx, id: FacilityId) -> Result<(), FacilityError> {
    let current = lock_facility(tx, id)?;
    close(tx, current, &format!("{BY_HAND}the kill switch is lifted, and the line not reopened yet")).map(drop)
}

fn close(tx: &mut WriteTx, current: Facility, reason: &str) -> Result<Facility, FacilityError> {
    let row = facility::table.find(current.id.raw());
    let closed =
        (facility::status.eq("closed"), facility::closed_reason.eq(Some(reason)), facility::closed_at.eq(Some(tx.now.naive())));
    diesel::update(row).set(closed).execute(&mut *tx.db).map_err(DbError::from)?;
    tell(tx, EventType::FacilityClosed, current.id)?;
    Ok(Facility { closed_reason: Some(reason.to_owned()), ..current })
}

/// Only after the bank answered a probe, which is the caller's to make, and while no advance is unknown, failed or too old.
pub fn reopen_facility(tx: &mut WriteTx, id: FacilityId) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if current.has_switch_on() {
        return Err(FacilityError::SwitchOn);
    }
    let oldest = oldest_unresolved(tx.db, id)?;
    let in_doubt = advance::table
        .filter(advance::facility_id.eq(id.raw()))
        .filter(advance::resolved_at.is_null())
        .filter(advance::state.eq_any(vec!["unknown", "failed"]))
        .count()
        .get_result::<i64>(&mut *tx.db)
        .map_err(DbError::from)?;
    if in_doubt > 0 || oldest.is_some_and(|sold_at| tx.now.since(sold_at) > current.max_unresolved) {
        return Err(FacilityError::Unresolved);
    }
    let row = facility::table.find(id.raw());
    let open =
        (facility::status.eq("open"), facility::closed_reason.eq(None::<String>), facility::closed_at.eq(None::<NaiveDateTime>));
    diesel::update(row).set(open).execute(&mut *tx.db).map_err(DbError::from)?;
    tell(tx, EventType::FacilityReopened, id)?;
    Ok(Facility { closed_reason: None, ..current })
}

fn tell(tx: &mut WriteTx, kind: EventType, id: FacilityId) -> Result<(), DbError> {
    emit(tx, NewEvent::new(kind, id).of_facility(id))
}

/// Locks a facility's slices and reads it.
pub fn lock_facility(tx: &mut WriteTx, id: FacilityId) -> Result<Facility, FacilityError> {
    let slices: Vec<i64> = facility_slice::table
        .filter(facility_slice::facility_id.eq(id.raw()))
        .select(facility_slice::id)
        .load(&mut *tx.db)
        .map_err(DbError::from)?;
    lock(tx, Contended::FacilitySlice, &slices)?;
    load(tx.db, Some(id), &[])?.pop().ok_or(FacilityError::NotFound)
}

fn load(db: &mut Db, id: Option<FacilityId>, currencies: &[Currency]) -> Result<Vec<Facility>, DbError> {
    let mut query = facility::table.inner_join(facility_slice::table).order(facility::id).into_boxed();
    if let Some(id) = id {
        query = query.filter(facility::id.eq(id.raw()));
    }
    if !currencies.is_empty() {
        let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_owned()).collect();
        query = query.filter(facility::currency.eq_any(codes));
    }
    let rows: Vec<(FacilityRow, SliceRow)> = query.select((FacilityRow::as_select(), SliceRow::as_select())).load(db)?;
    rows.into_iter().map(|(row, slice)| Facility::of(row, &slice)).collect()
}

/// The facilities in these currencies, or in all if none is named, oldest first; with their rows as they stand, locked or not.
pub fn facilities_in(db: &mut Db, currencies: &[Currency]) -> Result<Vec<Facility>, DbError> {
    load(db, None, currencies)
}

/// The same, with their slices locked. One that another node adds meanwhile is left out: it waits for the next commit.
pub fn lock_facilities_in(tx: &mut WriteTx, currencies: &[Currency]) -> Result<Vec<Facility>, DbError> {
    let codes: Vec<&str> = currencies.iter().map(|currency| currency.code()).collect();
    let slices = lock_within(tx, Contended::FacilitySlice, ("facility_id", "facility", "currency"), &codes)?;
    let mut facilities = facilities_in(tx.db, currencies)?;
    facilities.retain(|facility| slices.as_ref().is_none_or(|locked| locked.contains(&facility.slice.raw())));
    Ok(facilities)
}

/// When the ticket of the oldest advance that is not confirmed was sold.
pub fn oldest_unresolved(db: &mut Db, id: FacilityId) -> Result<Option<Timestamp>, DbError> {
    let unresolved = advance::table.filter(advance::facility_id.eq(id.raw())).filter(advance::resolved_at.is_null());
    let sold_at: Option<NaiveDateTime> = unresolved.order(advance::id).select(advance::sold_at).first(db).optional()?;
    Ok(sold_at.map(Timestamp::from))
}

impl FacilityState {
    /// What is left of the limit after draws and holds.
    pub fn room(&self) -> Result<Room, MoneyError> {
        Room::of(self.facility.limit, self.drawn.checked_add(self.held)?)
    }

    /// From a loan account that is locked in this transaction.
    pub fn in_book(tx: &mut WriteTx, book: &Book, facility: Facility) -> Result<Self, DbError> {
        let loan = loan_account(facility.id, facility.limit.currency);
        let oldest_unresolved = oldest_unresolved(tx.db, facility.id)?;
        Ok(FacilityState { drawn: book.balance(&loan), held: book.pending(&loan), oldest_unresolved, facility })
    }
}

pub fn facility(db: &mut Db, id: FacilityId) -> Result<Option<FacilityState>, DbError> {
    load(db, Some(id), &[])?.pop().map(|facility| state(db, facility)).transpose()
}

/// Of one bank, or of all, with their state.
pub fn facilities_of(
    db: &mut Db,
    bank: Option<OrganisationId>,
    window: Window,
    limit: i64,
) -> Result<Vec<FacilityState>, DbError> {
    let all = facility::table.inner_join(facility_slice::table).into_boxed();
    let mut query = windowed!(all, facility::id, window, limit);
    if let Some(bank) = bank {
        query = query.filter(facility::organisation_id.eq(bank.raw()));
    }
    let rows: Vec<(FacilityRow, SliceRow)> = query.select((FacilityRow::as_select(), SliceRow::as_select())).load(db)?;
    rows.into_iter().map(|(row, slice)| state(db, Facility::of(row, &slice)?)).collect()
}

/// All facilities with their state: a handful.
pub fn facilities(db: &mut Db) -> Result<Vec<FacilityState>, DbError> {
    load(db, None, &[])?.into_iter().map(|facility| state(db, facility)).collect()
}

fn state(db: &mut Db, facility: Facility) -> Result<FacilityState, DbError> {
    let loan = loan_account(facility.id, facility.limit.currency);
    let drawn = balances(db, std::slice::from_ref(&loan))?.pop().map_or(Money::zero(loan.currency), |(_, drawn)| drawn);
    let accounts = crate::ledger::accounts_of(db, &[facility.id.raw()])?;
    let pending = accounts.iter().find(|row| row.code == AccountCode::BankLoan.text()).map_or(0, |row| row.pending_minor);
    let oldest_unresolved = oldest_unresolved(db, facility.id)?;
    Ok(FacilityState { drawn, held: Money::new(pending, loan.currency), oldest_unresolved, facility })
}
