//! Client money is there at any moment: cash[client] and own money on its way to it cover wallets, deposits and what wallet tickets still owe airlines.
//!
//! Protocol: whoever takes from the cover locks `cash[client]` first and reads the cover after that. A sweep takes only what is above it. Where a
//! void puts more back into a wallet than is there, the same commit orders own money into the client account.

use super::advance::Funding;
use super::airline_terms::own_money_on_its_way;
use crate::audit::Actor;
use crate::db::schema::{advance, cash_transfer};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{CashTransferId, Id, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, Purse, balances, open_accounts, totals};
use crate::money::{Currency, Money, MoneyError};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

rows! {
    pub struct TransferRow in cash_transfer {
        id: i64,
        to_account: String,
        amount_minor: i64,
        currency: String,
        ticket_id: Option<i64>,
        bank_reference: Option<String>,
        value_date: Option<NaiveDate>,
        created_at: NaiveDateTime,
        confirmed_at: Option<NaiveDateTime>,
    }
}

#[derive(Clone, Debug)]
pub struct CashTransfer {
    pub id: CashTransferId,
    pub to: Purse,
    pub amount: Money,
    /// The ticket whose void made it necessary.
    pub ticket: Option<TicketId>,
    pub confirmation: Option<Confirmation>,
    pub created_at: NaiveDateTime,
    pub confirmed_at: Option<NaiveDateTime>,
}

/// How the bank's statement names a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub bank_reference: String,
    pub value_date: NaiveDate,
}

impl TryFrom<TransferRow> for CashTransfer {
    type Error = DbError;

    fn try_from(row: TransferRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("cash transfer {}", row.id));
        let confirmation = row.bank_reference.zip(row.value_date);
        Ok(CashTransfer {
            id: CashTransferId::of(row.id),
            to: Purse::parse(&row.to_account).ok_or_else(corrupt)?,
            amount: Money::new(row.amount_minor, Currency::parse(&row.currency).map_err(|_| corrupt())?),
            ticket: row.ticket_id.map(TicketId::of),
            confirmation: confirmation.map(|(bank_reference, value_date)| Confirmation { bank_reference, value_date }),
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("a transfer is more than zero")]
    NotPositive,
    #[error("only {free} is above what wallets, deposits and wallet tickets need")]
    AboveCover { free: Money },
    #[error("the own account is short of {short}")]
    OwnCashShort { short: Money },
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("bank reference {0} was recorded with other details")]
    ReferenceReused(String),
    #[error("no such transfer")]
    NotFound,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is above the cover; negative where client money would be missing.
pub fn cover(db: &mut Db, currency: Currency) -> Result<Money, DbError> {
    let overflow = |_: MoneyError| DbError::Corrupt("client money does not fit".into());
    let keys = [AccountKey::cash(Purse::Client, currency), AccountKey::platform(AccountCode::PlatformCashTransfer, currency)];
    let mut free = Money::zero(currency);
    for (_, there) in balances(db, &keys)? {
        free = free.checked_add(there).map_err(overflow)?;
    }
    for (_, of, owed) in totals(db, &[AccountCode::AgencyWallet, AccountCode::AgencyDeposit], None)? {
        if of == currency {
            free = free.checked_sub(owed).map_err(overflow)?;
        }
    }
    let unpaid = advance::table
        .filter(advance::facility_id.is_null())
        .filter(advance::funding.eq(Funding::Client.text()))
        .filter(advance::resolved_at.is_null())
        .filter(advance::currency.eq(currency.code().to_owned()))
        .select(sql::<Nullable<BigInt>>("CAST(SUM(amount_minor - set_off_minor - cancelled_minor) AS BIGINT)"));
    let unpaid: Option<i64> = unpaid.first(db)?;
    free.checked_sub(Money::new(unpaid.unwrap_or(0), currency)).map_err(overflow)
}

/// The accounts that client money moves between: whoever changes the cover locks them.
pub fn accounts(currency: Currency) -> [AccountKey; 3] {
    [
        AccountKey::cash(Purse::Client, currency),
        AccountKey::cash(Purse::Own, currency),
        AccountKey::platform(AccountCode::PlatformCashTransfer, currency),
    ]
}

fn book_of(tx: &mut WriteTx, currency: Currency) -> Result<Book, DbError> {
    let ids = open_accounts(tx, &accounts(currency))?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    Ok(book)
}

fn row(id: CashTransferId, to: Purse, amount: Money, at: NaiveDateTime) -> TransferRow {
    TransferRow {
        id: id.raw(),
        to_account: to.text().to_owned(),
        amount_minor: amount.minor,
        currency: amount.currency.code().to_owned(),
        ticket_id: None,
        bank_reference: None,
        value_date: None,
        created_at: at,
        confirmed_at: None,
    }
}

/// Orders own money into the client account within a book whose cash accounts are loaded. The row is the caller's to insert.
pub fn top_up_client_cash(
    tx: &mut WriteTx,
    book: &mut Book,
    actor: Actor,
    amount: Money,
    ticket: Option<TicketId>,
) -> Result<TransferRow, TransferError> {
    let own = AccountKey::cash(Purse::Own, amount.currency);
    let free = book.balance(&own).checked_sub(own_money_on_its_way(tx.db, amount.currency)?)?;
    let short = amount.checked_sub(free)?;
    if short.minor > 0 {
        return Err(TransferError::OwnCashShort { short });
    }
    let id: CashTransferId = tx.ids.next();
    let transfer = AccountKey::platform(AccountCode::PlatformCashTransfer, amount.currency);
    let legs = vec![Leg::debit(transfer, amount), Leg::credit(own, amount)?];
    book.post(tx, &Draft { event: Event::TransferOrdered, reference: id.raw(), contract: None, actor, legs })?;
    Ok(TransferRow { ticket_id: ticket.map(Id::raw), ..row(id, Purse::Client, amount, tx.now.naive()) })
}

/// Orders own money into the client account; it counts as cover from now on.
pub fn order_transfer(tx: &mut WriteTx, actor: Actor, amount: Money) -> Result<CashTransfer, TransferError> {
    if amount.minor <= 0 {
        return Err(TransferError::NotPositive);
    }
    let mut book = book_of(tx, amount.currency)?;
    let row = top_up_client_cash(tx, &mut book, actor, amount, None)?;
    write(tx, &book, &row)?;
    Ok(CashTransfer::try_from(row)?)
}

fn write(tx: &mut WriteTx, book: &Book, row: &TransferRow) -> Result<(), DbError> {
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert(tx, &[RowSet::of(std::slice::from_ref(row))])
}

/// The bank has carried out an ordered transfer. The same reference again is the same confirmation.
pub fn confirm_transfer(
    tx: &mut WriteTx,
    actor: Actor,
    id: CashTransferId,
    said: &Confirmation,
) -> Result<CashTransfer, TransferError> {
    check_date(tx, said)?;
    lock_word(tx, &said.bank_reference)?;
    let known = transfer(tx.db, id)?.ok_or(TransferError::NotFound)?;
    let mut book = book_of(tx, known.amount.currency)?;
    // Again, now that its accounts are locked.
    let known = transfer(tx.db, id)?.ok_or(TransferError::NotFound)?;
    match &known.confirmation {
        Some(before) if before == said => return Ok(known),
        Some(_) => return Err(TransferError::ReferenceReused(said.bank_reference.clone())),
        None => {}
    }
    if by_reference(tx.db, &said.bank_reference)?.is_some() {
        return Err(TransferError::ReferenceReused(said.bank_reference.clone()));
    }
    let currency = known.amount.currency;
    let legs = vec![
        Leg::debit(AccountKey::cash(Purse::Client, currency), known.amount),
        Leg::credit(AccountKey::platform(AccountCode::PlatformCashTransfer, currency), known.amount)?,
    ];
    book.post(tx, &Draft { event: Event::TransferConfirmed, reference: id.raw(), contract: None, actor, legs })?;
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    let changed = (
        cash_transfer::bank_reference.eq(Some(said.bank_reference.clone())),
        cash_transfer::value_date.eq(Some(said.value_date)),
        cash_transfer::confirmed_at.eq(Some(tx.now.naive())),
    );
    diesel::update(cash_transfer::table.find(id.raw())).set(changed).execute(&mut *tx.db).map_err(DbError::from)?;
    transfer(tx.db, id)?.ok_or(TransferError::NotFound)
}

/// Earned money that the bank has moved from the client to the own account: only what is above the cover.
pub fn sweep(tx: &mut WriteTx, actor: Actor, amount: Money, said: &Confirmation) -> Result<CashTransfer, TransferError> {
    if amount.minor <= 0 {
        return Err(TransferError::NotPositive);
    }
    check_date(tx, said)?;
    lock_word(tx, &said.bank_reference)?;
    let mut book = book_of(tx, amount.currency)?;
    if let Some(known) = by_reference(tx.db, &said.bank_reference)? {
        let same = known.to == Purse::Own && known.amount == amount && known.confirmation.as_ref() == Some(said);
        return if same { Ok(known) } else { Err(TransferError::ReferenceReused(said.bank_reference.clone())) };
    }
    let free = cover(tx.db, amount.currency)?;
    if amount.minor > free.minor {
        return Err(TransferError::AboveCover { free: Money::new(free.minor.max(0), free.currency) });
    }
    let id: CashTransferId = tx.ids.next();
    let legs = vec![
        Leg::debit(AccountKey::cash(Purse::Own, amount.currency), amount),
        Leg::credit(AccountKey::cash(Purse::Client, amount.currency), amount)?,
    ];
    book.post(tx, &Draft { event: Event::EarningsSwept, reference: id.raw(), contract: None, actor, legs })?;
    let row = TransferRow {
        bank_reference: Some(said.bank_reference.clone()),
        value_date: Some(said.value_date),
        confirmed_at: Some(tx.now.naive()),
        ..row(id, Purse::Own, amount, tx.now.naive())
    };
    write(tx, &book, &row)?;
    Ok(CashTransfer::try_from(row)?)
}

fn check_date(tx: &WriteTx, said: &Confirmation) -> Result<(), TransferError> {
    if said.value_date > tx.ledger_date { Err(TransferError::FutureValueDate(tx.ledger_date)) } else { Ok(()) }
}

pub fn transfer(db: &mut Db, id: CashTransferId) -> Result<Option<CashTransfer>, DbError> {
    let row: Option<TransferRow> = cash_transfer::table.find(id.raw()).select(TransferRow::as_select()).first(db).optional()?;
    row.map(CashTransfer::try_from).transpose()
}

fn by_reference(db: &mut Db, reference: &str) -> Result<Option<CashTransfer>, DbError> {
    let known = cash_transfer::table.filter(cash_transfer::bank_reference.eq(reference));
    let row: Option<TransferRow> = known.select(TransferRow::as_select()).first(db).optional()?;
    row.map(CashTransfer::try_from).transpose()
}

/// Newest first.
pub fn transfers(db: &mut Db, window: Window, limit: i64) -> Result<Vec<CashTransfer>, DbError> {
    let query = windowed!(cash_transfer::table.into_boxed(), cash_transfer::id, window, limit);
    let rows: Vec<TransferRow> = query.select(TransferRow::as_select()).load(db)?;
    rows.into_iter().map(CashTransfer::try_from).collect()
}
