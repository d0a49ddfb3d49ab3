//! The bank line that pays airlines: its limit, and whether it takes new holds. It fails closed, never open.

use super::cost::e8;
use super::room::Room;
use super::sublimit::{Sublimit, SublimitRow};
use crate::clock::Timestamp;
use crate::db::schema::{advance, base_rate, facility, facility_slice, facility_sublimit};
use crate::db::{Contended, Db, DbError, Window, WriteTx, lock, lock_within, rows, windowed};
use crate::ids::{FacilityId, Id, OrganisationId, SliceId};
use crate::ledger::{AccountCode, AccountKey, Book, balance};
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{Duration, NaiveDate, NaiveDateTime};
use diesel::prelude::*;

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
        /// The base is what is published under this name; without one it is `base_rate`.
        base_rate_name: Option<String>,
        commitment_rate: String,
        available_from: Option<NaiveDate>,
        available_until: Option<NaiveDate>,
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

/// What the rate of a line follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    Fixed(Rate),
    /// What is published under this name in the line's currency.
    Published(String),
}

/// The days on which a line takes new holds, both included; what is drawn stays after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
}

impl Availability {
    pub(super) fn check(self, day: NaiveDate) -> Result<(), Closed> {
        match self {
            Availability { from: Some(from), .. } if day < from => Err(Closed::NotAvailableYet),
            Availability { until: Some(until), .. } if day > until => Err(Closed::NotAvailableAnyMore),
            _ => Ok(()),
        }
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
    pub base: Base,
    /// What the base is on the day that this was read for; `None` where nothing was published for it.
    pub base_rate: Option<Rate>,
    pub margin_rate: Rate,
    /// Per year, of what is not drawn.
    pub commitment_rate: Rate,
    pub day_count: String,
    pub available: Availability,
    /// The ledger date that this was read for.
    pub on: NaiveDate,
    pub sublimits: Vec<Sublimit>,
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
    fn of(row: FacilityRow, slice: &SliceRow, published: Option<&str>, on: NaiveDate) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt(format!("facility {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(corrupt)?;
        let base = match &row.base_rate_name {
            Some(name) => Base::Published(name.clone()),
            None => Base::Fixed(Rate::parse(&row.base_rate).map_err(corrupt)?),
        };
        Ok(Facility {
            id: FacilityId::of(row.id),
            bank: OrganisationId::of(row.organisation_id),
            limit: Money::new(slice.limit_minor, currency),
            slice: SliceId::of(slice.id),
            base_rate: match &base {
                Base::Fixed(rate) => Some(*rate),
                Base::Published(_) => published.map(Rate::parse).transpose().map_err(corrupt)?,
            },
            base,
            commitment_rate: Rate::parse(&row.commitment_rate).map_err(corrupt)?,
            available: Availability { from: row.available_from, until: row.available_until },
            on,
            sublimits: Vec::new(),
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
    /// Base and margin per year, in units of 1e-8, on the day that this was read for.
    pub fn rate_e8(&self) -> Option<i64> {
        self.base_rate.map(|base| e8(base).saturating_add(e8(self.margin_rate)))
    }

    /// What drawing costs for a day, comparable between lines whatever their day counts: the rate less the commitment fee that it saves. A line whose
    /// rate nobody has published comes last.
    pub fn cost(&self) -> i128 {
        let year = if self.day_count == "ACT/360" { 365 } else { 360 };
        let saved = i128::from(e8(self.commitment_rate));
        self.rate_e8().map_or(i128::MAX, |rate| i128::from(rate).saturating_sub(saved).saturating_mul(year))
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
    NotAvailableYet,
    NotAvailableAnyMore,
}

impl Closed {
    pub fn reason(&self) -> &str {
        match self {
            Closed::For(reason) => reason,
            Closed::UnresolvedTooLong => "an advance has been unresolved for too long",
            Closed::TooManyUnconfirmed => "too many advances are unconfirmed",
            Closed::NotAvailableYet => "its availability period has not begun",
            Closed::NotAvailableAnyMore => "its availability period is over",
        }
    }
}

/// Whether a facility takes new holds; `adding` more advances are about to be in flight.
pub fn gate(state: &FacilityState, adding: i64, now: Timestamp) -> Result<(), Closed> {
    let facility = &state.facility;
    if let Some(reason) = &facility.closed_reason {
        return Err(Closed::For(reason.clone()));
    }
    facility.available.check(facility.on)?;
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
    #[error("no rate is published under this name for {0}")]
    NoBaseRate(NaiveDate),
    #[error("interest is counted ACT/360 or ACT/365F")]
    DayCount,
    #[error("advances in flight and the seconds that one may be unresolved are more than zero")]
    Bounds,
    #[error("the availability period ends before it begins")]
    Availability,
    #[error("no such organisation of kind bank")]
    NoBank,
    #[error("no such airline")]
    NoAirline,
    #[error("no such facility")]
    NotFound,
    #[error("the limit's currency is not the facility's")]
    CurrencyMismatch,
    #[error("an advance of this facility is unresolved: it reopens when the bank has answered for it")]
    Unresolved,
    #[error("a kill switch is on: two people lift it")]
    SwitchOn,
    #[error("two people have to agree to a higher limit")]
    NeedsTwo,
    #[error("interest does not fit the ledger")]
    Overflow,
    #[error(transparent)]
    Db(#[from] DbError),
}

pub fn interest_account(facility: FacilityId, currency: Currency) -> AccountKey {
    AccountKey::facility(AccountCode::BankInterest, facility, currency)
}

pub fn loan_account(facility: FacilityId, currency: Currency) -> AccountKey {
    AccountKey::facility(AccountCode::BankLoan, facility, currency)
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

pub(super) fn tell(tx: &mut WriteTx, kind: EventType, id: FacilityId) -> Result<(), DbError> {
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
    load(tx.db, Which::One(id), tx.ledger_date)?.pop().ok_or(FacilityError::NotFound)
}

#[derive(Clone, Copy)]
enum Which<'a> {
    All,
    One(FacilityId),
    Some(&'a [i64]),
    In(&'a [Currency]),
}

/// A facility with what is published for its day, once per sub-limit.
type Loaded = (FacilityRow, SliceRow, Option<String>, Option<SublimitRow>);

/// In one statement, by ascending id.
fn load(db: &mut Db, which: Which<'_>, on: NaiveDate) -> Result<Vec<Facility>, DbError> {
    let named = base_rate::currency.eq(facility::currency).and(base_rate::name.nullable().eq(facility::base_rate_name));
    let begun = base_rate::effective_from.le(on);
    let in_force = named.and(begun).and(base_rate::effective_until.is_null().or(base_rate::effective_until.ge(on)));
    let own = facility_sublimit::table.on(facility_sublimit::facility_id.eq(facility::id));
    let lines = facility::table.inner_join(facility_slice::table).left_join(base_rate::table.on(in_force)).left_join(own);
    let mut query = lines.order((facility::id, facility_sublimit::airline_id)).into_boxed();
    query = match which {
        Which::All => query,
        Which::One(id) => query.filter(facility::id.eq(id.raw())),
        Which::Some(ids) => query.filter(facility::id.eq_any(ids.to_vec())),
        Which::In(currencies) => {
            let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_owned()).collect();
            query.filter(facility::currency.eq_any(codes))
        }
    };
    let columns =
        (FacilityRow::as_select(), SliceRow::as_select(), base_rate::rate.nullable(), Option::<SublimitRow>::as_select());
    let rows: Vec<Loaded> = query.select(columns).load(db)?;
    let mut found: Vec<Facility> = Vec::new();
    for (row, slice, published, sublimit) in rows {
        if found.last().is_none_or(|last| last.id.raw() != row.id) {
            found.push(Facility::of(row, &slice, published.as_deref(), on)?);
        }
        if let (Some(last), Some(sublimit)) = (found.last_mut(), sublimit) {
            last.sublimits.push(Sublimit::of(&sublimit, last.limit.currency));
        }
    }
    Ok(found)
}

/// What payments need to know of a line: it does not depend on the day.
#[derive(Clone, Debug)]
pub struct LineName {
    pub id: FacilityId,
    pub name: String,
    pub debit_account: String,
}

/// The facilities in these currencies, or in all if none is named, oldest first.
pub fn facilities_in(db: &mut Db, currencies: &[Currency]) -> Result<Vec<LineName>, DbError> {
    let mut query = facility::table.order(facility::id).into_boxed();
    if !currencies.is_empty() {
        let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_owned()).collect();
        query = query.filter(facility::currency.eq_any(codes));
    }
    let rows: Vec<(i64, String, String)> = query.select((facility::id, facility::name, facility::debit_account)).load(db)?;
    let line = |(id, name, debit_account)| LineName { id: FacilityId::of(id), name, debit_account };
    Ok(rows.into_iter().map(line).collect())
}

/// The facilities in these currencies with their slices, which guard their sub-limits too, locked. One that another node adds meanwhile is left out: it
/// waits for the next commit.
pub fn lock_facilities_in(tx: &mut WriteTx, currencies: &[Currency]) -> Result<Vec<Facility>, DbError> {
    let codes: Vec<&str> = currencies.iter().map(|currency| currency.code()).collect();
    let slices = lock_within(tx, Contended::FacilitySlice, ("facility_id", "facility", "currency"), &codes)?;
    let mut facilities = load(tx.db, Which::In(currencies), tx.ledger_date)?;
    facilities.retain(|facility| slices.as_ref().is_none_or(|locked| locked.contains(&facility.slice.raw())));
    Ok(facilities)
}

/// When the ticket of the oldest advance that is not confirmed was sold.
pub fn oldest_unresolved(db: &mut Db, id: FacilityId) -> Result<Option<Timestamp>, DbError> {
    // One that waits, or has waited, for its airline is old without the bank's doing.
    let unresolved = advance::table
        .filter(advance::facility_id.eq(id.raw()))
        .filter(advance::resolved_at.is_null())
        .filter(advance::waits_until.is_null());
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

/// With the terms of a day.
pub fn facility(db: &mut Db, id: FacilityId, on: NaiveDate) -> Result<Option<FacilityState>, DbError> {
    load(db, Which::One(id), on)?.pop().map(|facility| state(db, facility)).transpose()
}

/// Of one bank, or of all, with their state and the terms of a day.
pub fn facilities_of(
    db: &mut Db,
    bank: Option<OrganisationId>,
    on: NaiveDate,
    window: Window,
    limit: i64,
) -> Result<Vec<FacilityState>, DbError> {
    let mut query = windowed!(facility::table.into_boxed(), facility::id, window, limit);
    if let Some(bank) = bank {
        query = query.filter(facility::organisation_id.eq(bank.raw()));
    }
    let ids: Vec<i64> = query.select(facility::id).load(db)?;
    let mut found = load(db, Which::Some(&ids), on)?;
    found.sort_by_key(|one| ids.iter().position(|id| *id == one.id.raw()));
    found.into_iter().map(|facility| state(db, facility)).collect()
}

/// All facilities with their state: a handful.
pub fn facilities(db: &mut Db, on: NaiveDate) -> Result<Vec<FacilityState>, DbError> {
    load(db, Which::All, on)?.into_iter().map(|facility| state(db, facility)).collect()
}

/// Principal drawn, as it stands.
pub(super) fn drawn(db: &mut Db, facility: &Facility) -> Result<Money, DbError> {
    balance(db, &loan_account(facility.id, facility.limit.currency))
}

fn state(db: &mut Db, facility: Facility) -> Result<FacilityState, DbError> {
    let loan = loan_account(facility.id, facility.limit.currency);
    let drawn = drawn(db, &facility)?;
    let accounts = crate::ledger::accounts_of(db, &[facility.id.raw()])?;
    let pending = accounts.iter().find(|row| row.code == AccountCode::BankLoan.text()).map_or(0, |row| row.pending_minor);
    let oldest_unresolved = oldest_unresolved(db, facility.id)?;
    Ok(FacilityState { drawn, held: Money::new(pending, loan.currency), oldest_unresolved, facility })
}
