//! The daily proof of cash: what the bank says that one of our accounts held at the end of a day is what the ledger says, less what is named. Named is what
//! the ledger has and the bank has not booked yet (in transit), money that came and nobody has recorded yet, and fees that the bank has taken. Everything else
//! is unexplained, and people are told of it.
//!
//! Protocol: an account is proven day by day from its first movement on, each day once, with the bank's statement of that day, which the caller has fetched.
//! Movements of both sides with the same reference and the same amount belong together; what is left is an item that stays open until the other side has
//! it too. So a day costs what was booked on it. Of a day whose statement could not be fetched only that is kept, until it can. Whoever proves is alone.

use super::cash_movements::{Movement, day_of, first_day_of, named_since};
use crate::db::schema::{cash_item, cash_proof};
use crate::db::{Change, Db, DbError, RowSet, Window, WriteTx, insert, rows, stored_currency, update, windowed};
use crate::ids::{CashProofId, Id};
use crate::ledger::Purse;
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::BTreeMap;

rows! {
    pub struct CashProofRow in cash_proof {
        id: i64,
        account: String,
        currency: String,
        date: NaiveDate,
        state: String,
        ledger_minor: i64,
        bank_minor: i64,
        in_transit_minor: i64,
        unmatched_receipts_minor: i64,
        bank_fees_minor: i64,
        unexplained_minor: i64,
        /// Entries up to here were looked at.
        last_entry_id: i64,
        error: Option<String>,
        created_at: NaiveDateTime,
        proven_at: Option<NaiveDateTime>,
    }

    pub struct CashItemRow in cash_item {
        id: i64,
        account: String,
        currency: String,
        kind: String,
        side: String,
        bank_reference: String,
        posting_id: Option<i64>,
        /// As it moves the account.
        amount_minor: i64,
        since: NaiveDate,
        cleared_on: Option<NaiveDate>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    Proven,
    Unexplained,
    /// The bank gave no statement.
    Unavailable,
}

impl ProofState {
    pub const ALL: [ProofState; 3] = [ProofState::Proven, ProofState::Unexplained, ProofState::Unavailable];

    pub fn text(self) -> &'static str {
        match self {
            ProofState::Proven => "proven",
            ProofState::Unexplained => "unexplained",
            ProofState::Unavailable => "unavailable",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ProofState::ALL.into_iter().find(|state| state.text() == text)
    }
}

/// What only one side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashItemKind {
    /// In the ledger, and not at the bank yet.
    InTransit,
    /// At the bank, and recorded by nobody yet.
    UnmatchedReceipt,
    BankFee,
    /// Money that left without anybody's record: explained by nothing.
    UnknownPayment,
    /// Both sides have the reference, with other amounts: explained by nothing.
    OtherAmount,
}

impl CashItemKind {
    pub const ALL: [CashItemKind; 5] = [
        CashItemKind::InTransit,
        CashItemKind::UnmatchedReceipt,
        CashItemKind::BankFee,
        CashItemKind::UnknownPayment,
        CashItemKind::OtherAmount,
    ];

    pub fn text(self) -> &'static str {
        match self {
            CashItemKind::InTransit => "in_transit",
            CashItemKind::UnmatchedReceipt => "unmatched_receipt",
            CashItemKind::BankFee => "bank_fee",
            CashItemKind::UnknownPayment => "unknown_payment",
            CashItemKind::OtherAmount => "other_amount",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        CashItemKind::ALL.into_iter().find(|kind| kind.text() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankLineKind {
    Transfer,
    Fee,
}

/// A booking of the bank's.
#[derive(Clone, Debug)]
pub struct BankLine {
    pub bank_reference: String,
    /// Negative where money left the account.
    pub amount: Money,
    pub kind: BankLineKind,
}

/// What the bank says about a day, in one currency.
#[derive(Clone, Debug)]
pub struct BankDay {
    pub closing: Money,
    pub lines: Vec<BankLine>,
}

/// One of our bank accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashAccount {
    pub purse: Purse,
    pub currency: Currency,
}

#[derive(Debug, thiserror::Error)]
pub enum CashProofError {
    #[error("{next} is to be proven first")]
    NotNext { next: NaiveDate },
    #[error("the bank's amount is in another currency")]
    CurrencyMismatch,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for CashProofError {
    fn from(error: diesel::result::Error) -> Self {
        CashProofError::Db(error.into())
    }
}

/// The last day of an account that was proven, whatever came of it.
fn last_proven(db: &mut Db, account: CashAccount) -> Result<Option<CashProofRow>, DbError> {
    let of = cash_proof::table.filter(cash_proof::account.eq(account.purse.text()));
    let of = of.filter(cash_proof::currency.eq(account.currency.code()));
    let proven = of.filter(cash_proof::state.ne(ProofState::Unavailable.text())).order(cash_proof::date.desc());
    Ok(proven.select(CashProofRow::as_select()).first(db).optional()?)
}

fn proof_of(db: &mut Db, account: CashAccount, date: NaiveDate) -> Result<Option<CashProofRow>, DbError> {
    let of = cash_proof::table.filter(cash_proof::account.eq(account.purse.text())).filter(cash_proof::date.eq(date));
    let of = of.filter(cash_proof::currency.eq(account.currency.code()));
    Ok(of.select(CashProofRow::as_select()).first(db).optional()?)
}

/// The day that is to be proven next; none where the account was never moved.
pub fn next_to_prove(db: &mut Db, account: CashAccount) -> Result<Option<NaiveDate>, DbError> {
    let last = last_proven(db, account)?;
    day_after(db, account, last.as_ref())
}

fn day_after(db: &mut Db, account: CashAccount, last: Option<&CashProofRow>) -> Result<Option<NaiveDate>, DbError> {
    match last {
        Some(last) => Ok(last.date.succ_opt()),
        None => first_day_of(db, account),
    }
}

/// Keeps that a day's statement could not be fetched; people are told of it once.
pub fn note_unavailable(
    tx: &mut WriteTx,
    account: CashAccount,
    date: NaiveDate,
    error: &str,
) -> Result<CashProofRow, CashProofError> {
    let error: String = error.chars().take(500).collect();
    if let Some(known) = proof_of(tx.db, account, date)? {
        if known.state == ProofState::Unavailable.text() {
            update(tx, "cash_proof", &["error"], &[Change { id: known.id, values: vec![Some(error.clone()).into()] }])?;
            return Ok(CashProofRow { error: Some(error), ..known });
        }
        return Ok(known);
    }
    let row = CashProofRow { error: Some(error), ..nothing_yet(tx, account, date) };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(tx, NewEvent::new(EventType::CashProofUnavailable, CashProofId::of(row.id)))?;
    Ok(row)
}

fn nothing_yet(tx: &WriteTx, account: CashAccount, date: NaiveDate) -> CashProofRow {
    CashProofRow {
        id: tx.ids.next::<CashProofId>().raw(),
        account: account.purse.text().to_owned(),
        currency: account.currency.code().to_owned(),
        date,
        state: ProofState::Unavailable.text().to_owned(),
        ledger_minor: 0,
        bank_minor: 0,
        in_transit_minor: 0,
        unmatched_receipts_minor: 0,
        bank_fees_minor: 0,
        unexplained_minor: 0,
        last_entry_id: 0,
        error: None,
        created_at: tx.now.naive(),
        proven_at: None,
    }
}

/// Proves the next day of an account; proven before, it answers that proof.
pub fn prove_cash(
    tx: &mut WriteTx,
    account: CashAccount,
    date: NaiveDate,
    bank: &BankDay,
) -> Result<CashProofRow, CashProofError> {
    let known = proof_of(tx.db, account, date)?;
    if let Some(known) = known.as_ref().filter(|known| known.state != ProofState::Unavailable.text()) {
        return Ok(known.clone());
    }
    let last = last_proven(tx.db, account)?;
    if let Some(next) = day_after(tx.db, account, last.as_ref())?.filter(|next| *next != date) {
        return Err(CashProofError::NotNext { next });
    }
    if bank.closing.currency != account.currency || bank.lines.iter().any(|line| line.amount.currency != account.currency) {
        return Err(CashProofError::CurrencyMismatch);
    }
    let (before, after) = last.map_or((0, 0), |last| (last.ledger_minor, last.last_entry_id));
    let day = day_of(tx.db, account, date, after)?;
    let ledger = sum(before, day.iter().map(|movement| movement.minor))?;
    let open = match_day(tx, account, date, &day, bank)?;
    let of = |kind: CashItemKind| sum(0, open.iter().filter(|item| item.kind == kind.text()).map(|item| item.amount_minor));
    let (in_transit, receipts, fees) =
        (of(CashItemKind::InTransit)?, of(CashItemKind::UnmatchedReceipt)?, of(CashItemKind::BankFee)?);
    let named = receipts.checked_add(fees).and_then(|named| named.checked_sub(in_transit)).ok_or(MoneyError::Overflow)?;
    let differ = bank.closing.minor.checked_sub(ledger).ok_or(MoneyError::Overflow)?;
    let unexplained = differ.checked_sub(named).ok_or(MoneyError::Overflow)?;
    // Two of them may cancel each other out; they are no less strange for that.
    let strange = [CashItemKind::UnknownPayment, CashItemKind::OtherAmount].map(CashItemKind::text);
    let is_proven = unexplained == 0 && !open.iter().any(|item| strange.contains(&item.kind.as_str()));
    let state = if is_proven { ProofState::Proven } else { ProofState::Unexplained };
    let row = CashProofRow {
        state: state.text().to_owned(),
        ledger_minor: ledger,
        bank_minor: bank.closing.minor,
        in_transit_minor: in_transit,
        unmatched_receipts_minor: receipts,
        bank_fees_minor: fees,
        unexplained_minor: unexplained,
        last_entry_id: day.iter().map(|movement| movement.entry_id).fold(after, i64::max),
        error: None,
        proven_at: Some(tx.now.naive()),
        ..known.clone().unwrap_or_else(|| nothing_yet(tx, account, date))
    };
    keep(tx, &row, known.is_some())?;
    if state == ProofState::Unexplained {
        emit(tx, NewEvent::new(EventType::CashProofUnexplained, CashProofId::of(row.id)))?;
    }
    Ok(row)
}

fn sum(start: i64, minors: impl Iterator<Item = i64>) -> Result<i64, MoneyError> {
    let mut minors = minors;
    minors.try_fold(start, i64::checked_add).ok_or(MoneyError::Overflow)
}

fn keep(tx: &mut WriteTx, row: &CashProofRow, is_known: bool) -> Result<(), DbError> {
    if !is_known {
        return insert(tx, &[RowSet::of(std::slice::from_ref(row))]);
    }
    let columns = &[
        "state",
        "ledger_minor",
        "bank_minor",
        "in_transit_minor",
        "unmatched_receipts_minor",
        "bank_fees_minor",
        "unexplained_minor",
        "last_entry_id",
        "error",
        "proven_at",
    ];
    let values = vec![
        row.state.clone().into(),
        row.ledger_minor.into(),
        row.bank_minor.into(),
        row.in_transit_minor.into(),
        row.unmatched_receipts_minor.into(),
        row.bank_fees_minor.into(),
        row.unexplained_minor.into(),
        row.last_entry_id.into(),
        row.error.clone().into(),
        row.proven_at.into(),
    ];
    update(tx, "cash_proof", columns, &[Change { id: row.id, values }]).map(drop)
}

/// What both sides have under one reference.
#[derive(Default)]
struct Pair {
    /// Open since another day.
    open: Vec<CashItemRow>,
    ledger: Vec<Movement>,
    bank: Vec<BankLine>,
}

impl Pair {
    fn total(&self, side: &str) -> Result<Option<i64>, MoneyError> {
        let open = self.open.iter().filter(|item| item.side == side).map(|item| item.amount_minor);
        let new: Vec<i64> = match side {
            "ledger" => self.ledger.iter().map(|movement| movement.minor).collect(),
            _ => self.bank.iter().map(|line| line.amount.minor).collect(),
        };
        let all: Vec<i64> = open.chain(new).collect();
        if all.is_empty() { Ok(None) } else { sum(0, all.into_iter()).map(Some) }
    }

    /// Of a new movement, or of an open one that turns out to be something else; nothing where both sides agree.
    fn kind(&self, reference: &str, side: &str, minor: i64, is_fee: bool) -> Result<Option<CashItemKind>, MoneyError> {
        // Without a reference nothing belongs together.
        let (ledger, bank) = if reference.is_empty() { (None, None) } else { (self.total("ledger")?, self.total("bank")?) };
        Ok(match (ledger, bank) {
            (Some(ledger), Some(bank)) if ledger == bank => None,
            (Some(_), Some(_)) => Some(CashItemKind::OtherAmount),
            _ if side == "ledger" => Some(CashItemKind::InTransit),
            _ if minor > 0 => Some(CashItemKind::UnmatchedReceipt),
            _ if is_fee => Some(CashItemKind::BankFee),
            _ => Some(CashItemKind::UnknownPayment),
        })
    }
}

/// Matches a day's movements with each other and with what was open; answers what is open at its end.
fn match_day(
    tx: &mut WriteTx,
    account: CashAccount,
    date: NaiveDate,
    day: &[Movement],
    bank: &BankDay,
) -> Result<Vec<CashItemRow>, CashProofError> {
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    for item in named_since(tx.db, account)? {
        pairs.entry(item.bank_reference.clone()).or_default().open.push(item);
    }
    for movement in day {
        pairs.entry(movement.reference.clone()).or_default().ledger.push(movement.clone());
    }
    for line in &bank.lines {
        pairs.entry(line.bank_reference.clone()).or_default().bank.push(line.clone());
    }
    let (mut still, mut new, mut cleared) = (Vec::new(), Vec::new(), Vec::new());
    for (reference, pair) in &pairs {
        for item in &pair.open {
            let is_fee = item.kind == CashItemKind::BankFee.text();
            match pair.kind(reference, &item.side, item.amount_minor, is_fee)? {
                Some(kind) if kind.text() == item.kind => still.push(item.clone()),
                Some(kind) => {
                    cleared.push(item.id);
                    let (id, kind) = (tx.ids.block(1), kind.text().to_owned());
                    new.push(CashItemRow { id, kind, since: date, ..item.clone() });
                }
                None => cleared.push(item.id),
            }
        }
        let item = |kind: CashItemKind, side: &str, posting_id, amount_minor| CashItemRow {
            id: tx.ids.block(1),
            account: account.purse.text().to_owned(),
            currency: account.currency.code().to_owned(),
            kind: kind.text().to_owned(),
            side: side.to_owned(),
            bank_reference: reference.clone(),
            posting_id,
            amount_minor,
            since: date,
            cleared_on: None,
        };
        for movement in &pair.ledger {
            let kind = pair.kind(reference, "ledger", movement.minor, false)?;
            new.extend(kind.map(|kind| item(kind, "ledger", Some(movement.posting_id), movement.minor)));
        }
        for line in &pair.bank {
            let kind = pair.kind(reference, "bank", line.amount.minor, line.kind == BankLineKind::Fee)?;
            new.extend(kind.map(|kind| item(kind, "bank", None, line.amount.minor)));
        }
    }
    let clear = |id: &i64| Change { id: *id, values: vec![Some(date).into()] };
    update(tx, "cash_item", &["cleared_on"], &cleared.iter().map(clear).collect::<Vec<_>>())?;
    insert(tx, &[RowSet::of(&new)])?;
    still.extend(new);
    Ok(still)
}

/// Which proofs; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct CashProofFilter {
    pub purse: Option<Purse>,
    pub state: Option<ProofState>,
}

pub fn cash_proofs(db: &mut Db, filter: &CashProofFilter, window: Window, limit: i64) -> Result<Vec<CashProofRow>, DbError> {
    let mut query = windowed!(cash_proof::table.into_boxed(), cash_proof::id, window, limit);
    if let Some(purse) = filter.purse {
        query = query.filter(cash_proof::account.eq(purse.text()));
    }
    if let Some(state) = filter.state {
        query = query.filter(cash_proof::state.eq(state.text()));
    }
    Ok(query.select(CashProofRow::as_select()).load(db)?)
}

pub fn cash_proof(db: &mut Db, id: CashProofId) -> Result<Option<CashProofRow>, DbError> {
    Ok(cash_proof::table.find(id.raw()).select(CashProofRow::as_select()).first(db).optional()?)
}

/// What one side lacked at the end of the day of a proof.
pub fn cash_items(db: &mut Db, proof: &CashProofRow) -> Result<Vec<CashItemRow>, DbError> {
    let of = cash_item::table.filter(cash_item::account.eq(proof.account.clone()));
    let of = of.filter(cash_item::currency.eq(proof.currency.clone())).filter(cash_item::since.le(proof.date));
    let open = of.filter(cash_item::cleared_on.is_null().or(cash_item::cleared_on.gt(proof.date)));
    Ok(open.order(cash_item::id).select(CashItemRow::as_select()).load(db)?)
}

impl CashProofRow {
    pub fn money_currency(&self) -> Result<Currency, DbError> {
        stored_currency(&self.currency)
    }
}
