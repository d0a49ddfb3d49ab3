//! What an airline was paid for a ticket that was voided, or owes of an incentive that it funds or a memo that grants an agency something, until it is set off against a later advance or repaid.
//! A claim exists only once it is certain that the airline was paid.

use super::airline_cap::watch_airlines;
use crate::agencies::AirlineReturn;
use crate::audit::Actor;
use crate::db::schema::{advance, airline_claim, claim_settlement, contract, ticket};
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AdvanceId, AirlineId, BankReceiptId, ClaimId, Id, IncentivePeriodId, MemoId, PostingId, TicketId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, Purse, post_all};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit_all};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::HashMap;

rows! {
    pub struct ClaimRow in airline_claim {
        id: i64,
        /// None of an incentive or a memo.
        ticket_id: Option<i64>,
        airline_id: i64,
        currency: String,
        amount_minor: i64,
        settled_minor: i64,
        terms: String,
        created_at: NaiveDateTime,
        settled_at: Option<NaiveDateTime>,
        incentive_period_id: Option<i64>,
        memo_id: Option<i64>,
    }

    /// By an advance that was paid less, or by money that came back.
    pub struct SettlementRow in claim_settlement {
        id: i64,
        claim_id: i64,
        advance_id: Option<i64>,
        receipt_id: Option<i64>,
        amount_minor: i64,
        posting_id: i64,
        created_at: NaiveDateTime,
    }
}

/// What an airline owes it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimCause {
    /// A ticket that was taken back after the airline was paid.
    Ticket(TicketId),
    /// An agency's incentive in a period.
    Incentive(IncentivePeriodId),
    /// What it grants an agency.
    Memo(MemoId),
}

#[derive(Clone, Debug)]
pub struct Claim {
    pub id: ClaimId,
    pub cause: ClaimCause,
    pub airline: AirlineId,
    pub amount: Money,
    pub settled: Money,
    pub terms: AirlineReturn,
    pub created_at: NaiveDateTime,
    pub settled_at: Option<NaiveDateTime>,
}

impl Claim {
    pub fn open(&self) -> Money {
        Money::new(self.amount.minor - self.settled.minor, self.amount.currency)
    }
}

impl TryFrom<ClaimRow> for Claim {
    type Error = DbError;

    fn try_from(row: ClaimRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("airline claim {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt())?;
        Ok(Claim {
            id: ClaimId::of(row.id),
            cause: match (row.ticket_id, row.incentive_period_id, row.memo_id) {
                (Some(ticket), None, None) => ClaimCause::Ticket(TicketId::of(ticket)),
                (None, Some(period), None) => ClaimCause::Incentive(IncentivePeriodId::of(period)),
                (None, None, Some(memo)) => ClaimCause::Memo(MemoId::of(memo)),
                _ => return Err(corrupt()),
            },
            airline: AirlineId::of(row.airline_id),
            amount: Money::new(row.amount_minor, currency),
            settled: Money::new(row.settled_minor, currency),
            terms: AirlineReturn::parse(&row.terms).ok_or_else(corrupt)?,
            created_at: row.created_at,
            settled_at: row.settled_at,
        })
    }
}

/// Opens claims for what airlines were certainly paid, on the terms of the contract that each ticket was sold under.
pub(super) fn open_claims_for(tx: &mut WriteTx, paid: &[(TicketId, AirlineId, Money)]) -> Result<(), DbError> {
    if paid.is_empty() {
        return Ok(());
    }
    let tickets: Vec<i64> = paid.iter().map(|(ticket, _, _)| ticket.raw()).collect();
    let terms: Vec<(i64, String)> = ticket::table
        .inner_join(contract::table.on(contract::id.eq(ticket::contract_id)))
        .filter(ticket::id.eq_any(tickets))
        .select((ticket::id, contract::airline_return))
        .load(&mut *tx.db)?;
    let terms: HashMap<i64, String> = terms.into_iter().collect();
    let mut rows = Vec::with_capacity(paid.len());
    for (ticket, airline, amount) in paid {
        let terms = terms.get(&ticket.raw()).ok_or_else(|| DbError::Corrupt(format!("ticket {ticket} has no contract")))?;
        rows.push(ClaimRow { ticket_id: Some(ticket.raw()), ..new_claim(tx, *airline, terms, *amount) });
    }
    insert(tx, &[RowSet::of(&rows)])?;
    let owing: Vec<_> = paid.iter().map(|(_, airline, amount)| (*airline, amount.currency)).collect();
    watch_airlines(tx, &owing)?;
    emit_opened(tx, &rows)
}

fn emit_opened(tx: &mut WriteTx, rows: &[ClaimRow]) -> Result<(), DbError> {
    let opened = rows.iter().map(|row| {
        let event = NewEvent::new(EventType::AirlineClaimOpened, ClaimId::of(row.id)).of_airline(AirlineId::of(row.airline_id));
        match (row.ticket_id, row.memo_id) {
            (Some(ticket), _) => event.naming("ticket_id", TicketId::of(ticket)),
            (None, Some(memo)) => event.naming("memo_id", MemoId::of(memo)),
            (None, None) => event,
        }
    });
    emit_all(tx, opened.collect())
}

/// Opens claims for incentives that an airline funds, when their periods are settled.
pub fn open_incentive_claims(
    tx: &mut WriteTx,
    airline: AirlineId,
    terms: AirlineReturn,
    owed: &[(IncentivePeriodId, Money)],
) -> Result<(), DbError> {
    let row = |(period, amount): &(IncentivePeriodId, Money)| ClaimRow {
        incentive_period_id: Some(period.raw()),
        ..new_claim(tx, airline, terms.text(), *amount)
    };
    let rows: Vec<ClaimRow> = owed.iter().map(row).collect();
    insert(tx, &[RowSet::of(&rows)])?;
    emit_opened(tx, &rows)
}

/// Without its cause.
fn new_claim(tx: &WriteTx, airline: AirlineId, terms: &str, amount: Money) -> ClaimRow {
    ClaimRow {
        id: tx.ids.next::<ClaimId>().raw(),
        ticket_id: None,
        airline_id: airline.raw(),
        currency: amount.currency.code().to_owned(),
        amount_minor: amount.minor,
        settled_minor: 0,
        terms: terms.to_owned(),
        created_at: tx.now.naive(),
        settled_at: None,
        incentive_period_id: None,
        memo_id: None,
    }
}

/// Opens the claim for what a memo grants an agency, when it is posted.
pub fn open_memo_claim(
    tx: &mut WriteTx,
    airline: AirlineId,
    terms: AirlineReturn,
    memo: MemoId,
    amount: Money,
) -> Result<(), DbError> {
    let rows = [ClaimRow { memo_id: Some(memo.raw()), ..new_claim(tx, airline, terms.text(), amount) }];
    insert(tx, &[RowSet::of(&rows)])?;
    watch_airlines(tx, &[(airline, amount.currency)])?;
    emit_opened(tx, &rows)
}

/// Whether any advance might be paid by a claim: cheap, because open claims are few.
pub(super) fn has_claims_to_set_off(db: &mut Db) -> Result<bool, DbError> {
    let open = airline_claim::table.filter(airline_claim::settled_at.is_null());
    let to_set_off = open.filter(airline_claim::terms.eq(AirlineReturn::SetOff.text()));
    let any: Option<i64> = to_set_off.select(airline_claim::id).first(db).optional()?;
    Ok(any.is_some())
}

fn locked(tx: &mut WriteTx, airlines: &[AirlineId], terms: Option<AirlineReturn>) -> Result<Vec<Claim>, DbError> {
    let of: Vec<i64> = airlines.iter().map(|id| id.raw()).collect();
    let mut open = airline_claim::table
        .filter(airline_claim::settled_at.is_null())
        .filter(airline_claim::airline_id.eq_any(of))
        .order(airline_claim::id)
        .into_boxed();
    if let Some(terms) = terms {
        open = open.filter(airline_claim::terms.eq(terms.text()));
    }
    let ids: Vec<i64> = open.select(airline_claim::id).load(&mut *tx.db)?;
    lock(tx, Contended::AirlineClaim, &ids)?;
    let open = airline_claim::table.filter(airline_claim::id.eq_any(ids)).filter(airline_claim::settled_at.is_null());
    let rows: Vec<ClaimRow> = open.order(airline_claim::id).select(ClaimRow::as_select()).load(&mut *tx.db)?;
    rows.into_iter().map(Claim::try_from).collect()
}

/// Open claims that the contract sets off, oldest first, locked.
pub(super) fn lock_claims_to_set_off(tx: &mut WriteTx, airlines: &[AirlineId]) -> Result<Vec<Claim>, DbError> {
    locked(tx, airlines, Some(AirlineReturn::SetOff))
}

/// Brings claims up to what was settled of them.
pub(super) fn write_settled(tx: &mut WriteTx, claims: &[Claim]) -> Result<(), DbError> {
    let changes: Vec<Change> = claims
        .iter()
        .map(|claim| {
            let settled_at = (claim.open().minor == 0).then(|| tx.now.naive());
            Change { id: claim.id.raw(), values: vec![claim.settled.minor.into(), settled_at.into()] }
        })
        .collect();
    update(tx, "airline_claim", &["settled_minor", "settled_at"], &changes).map(drop)
}

/// What an exchange sets off in its own commit: the claim that it opens on the airline of the ticket given in, against the new ticket's advance.
#[derive(Clone, Copy, Debug)]
pub struct OwnSetOff {
    /// The settlement, which its posting refers to.
    pub id: i64,
    pub given_in: TicketId,
    pub advance: AdvanceId,
    pub amount: Money,
    pub posting: PostingId,
}

/// Settles the claims that this commit has opened.
pub fn set_off_own(tx: &mut WriteTx, parts: &[OwnSetOff]) -> Result<(), DbError> {
    if parts.is_empty() {
        return Ok(());
    }
    let tickets: Vec<i64> = parts.iter().map(|part| part.given_in.raw()).collect();
    let open = airline_claim::table.filter(airline_claim::ticket_id.eq_any(tickets)).filter(airline_claim::settled_at.is_null());
    let rows: Vec<ClaimRow> = open.order(airline_claim::id.desc()).select(ClaimRow::as_select()).load(&mut *tx.db)?;
    let claims = rows.into_iter().map(Claim::try_from).collect::<Result<Vec<_>, _>>()?;
    let (mut settled, mut rows) = (Vec::new(), Vec::new());
    for part in parts {
        // The newest one of the ticket is this commit's.
        let claim = claims.iter().find(|claim| claim.cause == ClaimCause::Ticket(part.given_in));
        let missing = || DbError::Corrupt(format!("ticket {} has no claim to set off", part.given_in));
        let mut claim = claim.cloned().ok_or_else(missing)?;
        let overflow = |_: MoneyError| DbError::Corrupt(format!("claim {}", claim.id));
        claim.settled = claim.settled.checked_add(part.amount).map_err(overflow)?;
        rows.push(SettlementRow {
            id: part.id,
            claim_id: claim.id.raw(),
            advance_id: Some(part.advance.raw()),
            receipt_id: None,
            amount_minor: part.amount.minor,
            posting_id: part.posting.raw(),
            created_at: tx.now.naive(),
        });
        settled.push(claim);
    }
    insert(tx, &[RowSet::of(&rows)])?;
    write_settled(tx, &settled)
}

#[derive(Debug, thiserror::Error)]
pub enum RepaymentError {
    #[error("the airline has to give back {open}, not {asked}")]
    MoreThanOpen { open: Money, asked: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An airline gives money back: claims are settled with it, oldest first, whatever their terms. Answers the posting.
pub fn repay_claims(
    tx: &mut WriteTx,
    actor: Actor,
    airline: AirlineId,
    amount: Money,
    receipt: BankReceiptId,
) -> Result<PostingId, RepaymentError> {
    let mut claims = locked(tx, &[airline], None)?;
    claims.retain(|claim| claim.amount.currency == amount.currency);
    let open = Money::sum(amount.currency, claims.iter().map(Claim::open))?;
    if amount.minor > open.minor {
        return Err(RepaymentError::MoreThanOpen { open, asked: amount });
    }
    let receivable = AccountKey::airline(AccountCode::AirlineReceivable, airline, amount.currency);
    let legs = vec![Leg::debit(AccountKey::cash(Purse::Own, amount.currency), amount), Leg::credit(receivable, amount)?];
    let draft = Draft { event: Event::AirlineRepaid, reference: receipt.raw(), contract: None, actor, legs };
    let posting = post_all(tx, &[draft])?.pop().ok_or(PostError::Empty)?;
    let (mut left, mut rows) = (amount.minor, Vec::new());
    for claim in &mut claims {
        let part = left.min(claim.open().minor);
        if part == 0 {
            continue;
        }
        left -= part;
        claim.settled = claim.settled.checked_add(Money::new(part, amount.currency))?;
        rows.push(SettlementRow {
            id: tx.ids.block(1),
            claim_id: claim.id.raw(),
            advance_id: None,
            receipt_id: Some(receipt.raw()),
            amount_minor: part,
            posting_id: posting.raw(),
            created_at: tx.now.naive(),
        });
    }
    insert(tx, &[RowSet::of(&rows)])?;
    write_settled(tx, &claims)?;
    watch_airlines(tx, &[(airline, amount.currency)])?;
    Ok(posting)
}

/// On one of these airlines, or on all; newest first.
pub fn claims(db: &mut Db, of: Option<&[AirlineId]>, window: Window, limit: i64) -> Result<Vec<Claim>, DbError> {
    let mut query = windowed!(airline_claim::table.into_boxed(), airline_claim::id, window, limit);
    if let Some(airlines) = of {
        query = query.filter(airline_claim::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<ClaimRow> = query.select(ClaimRow::as_select()).load(db)?;
    rows.into_iter().map(Claim::try_from).collect()
}

/// The references under which the ticket's advance, or what its airline owes for it, was set off or paid.
pub fn settlement_references(db: &mut Db, of: TicketId) -> Result<Vec<i64>, DbError> {
    let claims = airline_claim::table.filter(airline_claim::ticket_id.eq(of.raw())).select(airline_claim::id);
    let advances = advance::table.filter(advance::ticket_id.eq(of.raw())).select(advance::id.nullable());
    // One question each, so that each finds its index.
    let mut found: Vec<i64> =
        claim_settlement::table.filter(claim_settlement::claim_id.eq_any(claims)).select(claim_settlement::id).load(db)?;
    let of_advances: Vec<i64> =
        claim_settlement::table.filter(claim_settlement::advance_id.eq_any(advances)).select(claim_settlement::id).load(db)?;
    found.extend(of_advances.into_iter().filter(|id| !found.contains(id)).collect::<Vec<_>>());
    Ok(found)
}

/// How these claims were settled, in that order.
pub fn settlements_of(db: &mut Db, claims: &[ClaimId]) -> Result<Vec<SettlementRow>, DbError> {
    let of: Vec<i64> = claims.iter().map(|id| id.raw()).collect();
    let query = claim_settlement::table.filter(claim_settlement::claim_id.eq_any(of)).order(claim_settlement::id);
    Ok(query.select(SettlementRow::as_select()).load(db)?)
}
