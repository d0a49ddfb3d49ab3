//! Client money that goes back to its agency: a deposit returned, a wallet withdrawn. Decided and booked in one commit under the agency's lock; what the bank
//! carries out bears the payout's reference. Locks: the reference, the agency, accounts.

use super::recorded::Recorded;
use crate::agencies::{Agency, FreezeScope, lock_agency};
use crate::audit::Actor;
use crate::credit::{LimitTerms, Standing, policy_in_force, sales_limit, standing_accounts, watch};
use crate::db::schema::payout as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{AgencyId, Id, PayoutId, PostingId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, Purse, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct PayoutRow in payout {
        id: i64,
        agency_id: i64,
        purpose: String,
        amount_minor: i64,
        currency: String,
        value_date: NaiveDate,
        reference: String,
        posting_id: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutPurpose {
    /// What is left of the limit still covers what is owed.
    DepositReturn,
    /// Never more than it holds.
    WalletWithdrawal,
}

impl PayoutPurpose {
    pub fn text(self) -> &'static str {
        match self {
            PayoutPurpose::DepositReturn => "deposit_return",
            PayoutPurpose::WalletWithdrawal => "wallet_withdrawal",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [PayoutPurpose::DepositReturn, PayoutPurpose::WalletWithdrawal].into_iter().find(|purpose| purpose.text() == text)
    }

    fn account(self) -> AccountCode {
        match self {
            PayoutPurpose::DepositReturn => AccountCode::AgencyDeposit,
            PayoutPurpose::WalletWithdrawal => AccountCode::AgencyWallet,
        }
    }

    fn booked_as(self) -> (Event, EventType) {
        match self {
            PayoutPurpose::DepositReturn => (Event::DepositReturned, EventType::DepositReturned),
            PayoutPurpose::WalletWithdrawal => (Event::WalletTransferOut, EventType::WalletWithdrawn),
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewPayout {
    pub agency: AgencyId,
    pub purpose: PayoutPurpose,
    pub amount: Money,
    pub value_date: NaiveDate,
    /// What the bank's statement will name; its own id if none is given.
    pub reference: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Payout {
    pub id: PayoutId,
    pub agency: AgencyId,
    pub purpose: PayoutPurpose,
    pub amount: Money,
    pub value_date: NaiveDate,
    pub reference: String,
    pub posting: PostingId,
    pub created_at: NaiveDateTime,
}

impl TryFrom<PayoutRow> for Payout {
    type Error = DbError;

    fn try_from(row: PayoutRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("payout {}", row.id));
        Ok(Payout {
            id: PayoutId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            purpose: PayoutPurpose::parse(&row.purpose).ok_or_else(corrupt)?,
            amount: Money::new(row.amount_minor, Currency::parse(&row.currency).map_err(|_| corrupt())?),
            value_date: row.value_date,
            reference: row.reference,
            posting: PostingId::of(row.posting_id),
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    #[error("a payout is more than zero")]
    NotPositive,
    #[error("there is no such agency")]
    NoAgency,
    #[error("the agency's money is in {0}")]
    CurrencyMismatch(Currency),
    #[error("withdrawals of the agency are frozen")]
    Frozen,
    #[error("{there} is there, not more")]
    MoreThanThere { there: Money },
    #[error("the limit would be {short} below what is owed; {returnable} can be returned")]
    Uncovers { short: Money, returnable: Money },
    #[error("the client account is short of {short}: own money on its way has to arrive first")]
    ClientCashShort { short: Money },
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("reference {reference} was recorded with another {field}")]
    ReferenceReused { reference: String, field: &'static str },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Pays client money back. The same reference with the same content is the same payout: nothing is booked again.
pub fn pay_out(tx: &mut WriteTx, actor: Actor, new: &NewPayout) -> Result<Recorded<Payout>, PayoutError> {
    if new.amount.minor <= 0 {
        return Err(PayoutError::NotPositive);
    }
    if new.value_date > tx.ledger_date {
        return Err(PayoutError::FutureValueDate(tx.ledger_date));
    }
    if let Some(reference) = &new.reference {
        lock_word(tx, reference)?;
    }
    let agency = lock_agency(tx, new.agency)?.ok_or(PayoutError::NoAgency)?;
    if let Some(reference) = &new.reference
        && let Some(known) = payout_by_reference(tx.db, reference)?
    {
        return match first_difference(&known, new) {
            None => Ok(Recorded::Before(known)),
            Some(field) => Err(PayoutError::ReferenceReused { reference: known.reference, field }),
        };
    }
    if agency.currency != new.amount.currency {
        return Err(PayoutError::CurrencyMismatch(agency.currency));
    }
    if agency.frozen.has(FreezeScope::Withdrawal) {
        return Err(PayoutError::Frozen);
    }
    let cash = AccountKey::cash(Purse::Client, new.amount.currency);
    let mut keys = standing_accounts(agency.id, agency.currency);
    keys.push(cash.clone());
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    check(tx, &book, &agency, new)?;
    let short = new.amount.checked_sub(book.balance(&cash))?;
    if short.minor > 0 {
        return Err(PayoutError::ClientCashShort { short });
    }
    Ok(Recorded::Now(write(tx, actor, book, new)?))
}

/// Whether the agency may have it.
fn check(tx: &mut WriteTx, book: &Book, agency: &Agency, new: &NewPayout) -> Result<(), PayoutError> {
    let standing = Standing::in_book(book, agency.id, agency.currency);
    let there = match new.purpose {
        PayoutPurpose::DepositReturn => standing.deposit,
        PayoutPurpose::WalletWithdrawal => standing.wallet,
    };
    if new.amount.minor > there.minor {
        return Err(PayoutError::MoreThanThere { there: Money::new(there.minor.max(0), there.currency) });
    }
    if new.purpose == PayoutPurpose::WalletWithdrawal {
        return Ok(());
    }
    let policy = policy_in_force(tx.db, agency.currency, tx.ledger_date)?;
    let terms = LimitTerms::of(agency)?;
    let exposure = standing.exposure()?;
    let limit = |deposit: Money| sales_limit(deposit, policy.as_ref(), &terms, tx.ledger_date);
    let short = exposure.checked_sub(limit(there.checked_sub(new.amount)?)?)?;
    if exposure.minor <= 0 || short.minor <= 0 {
        return Ok(());
    }
    // The limit only grows with the deposit, so the least that covers is found by halving.
    let (mut kept, mut most) = (0, there.minor);
    while kept < most {
        let half = kept + (most - kept) / 2;
        let covers = limit(Money::new(half, there.currency))?.minor >= exposure.minor;
        (kept, most) = if covers { (kept, half) } else { (half + 1, most) };
    }
    let returnable = if limit(there)?.minor >= exposure.minor { there.minor - kept } else { 0 };
    Err(PayoutError::Uncovers { short, returnable: Money::new(returnable, there.currency) })
}

fn write(tx: &mut WriteTx, actor: Actor, mut book: Book, new: &NewPayout) -> Result<Payout, PayoutError> {
    let id: PayoutId = tx.ids.next();
    let currency = new.amount.currency;
    let (event, told) = new.purpose.booked_as();
    let legs = vec![
        Leg::debit(AccountKey::agency(new.purpose.account(), new.agency, currency), new.amount),
        Leg::credit(AccountKey::cash(Purse::Client, currency), new.amount)?,
    ];
    let posting = book.post(tx, &Draft { event, reference: id.raw(), contract: None, actor, legs })?;
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    let row = PayoutRow {
        id: id.raw(),
        agency_id: new.agency.raw(),
        purpose: new.purpose.text().to_owned(),
        amount_minor: new.amount.minor,
        currency: currency.code().to_owned(),
        value_date: new.value_date,
        reference: new.reference.clone().unwrap_or_else(|| id.to_string()),
        posting_id: posting.raw(),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(tx, NewEvent::new(told, id).of_agency(new.agency))?;
    if new.purpose == PayoutPurpose::DepositReturn {
        watch(tx, new.agency)?;
    }
    Ok(Payout::try_from(row)?)
}

fn first_difference(known: &Payout, new: &NewPayout) -> Option<&'static str> {
    let fields = [
        ("agency_id", known.agency == new.agency),
        ("purpose", known.purpose == new.purpose),
        ("amount", known.amount == new.amount),
        ("value_date", known.value_date == new.value_date),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

pub fn payout(db: &mut Db, id: PayoutId) -> Result<Option<Payout>, DbError> {
    let row: Option<PayoutRow> = table::table.find(id.raw()).select(PayoutRow::as_select()).first(db).optional()?;
    row.map(Payout::try_from).transpose()
}

fn payout_by_reference(db: &mut Db, reference: &str) -> Result<Option<Payout>, DbError> {
    let by_reference = table::table.filter(table::reference.eq(reference));
    let row: Option<PayoutRow> = by_reference.select(PayoutRow::as_select()).first(db).optional()?;
    row.map(Payout::try_from).transpose()
}

/// Of these agencies, or of all.
pub fn payouts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<Payout>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(table::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<PayoutRow> = query.select(PayoutRow::as_select()).load(db)?;
    rows.into_iter().map(Payout::try_from).collect()
}
