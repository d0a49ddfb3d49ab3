//! Money that reached one of the platform's bank accounts: recorded once per bank reference and booked in the same commit.

use crate::agencies::agency;
use crate::audit::Actor;
use crate::db::schema::bank_receipt;
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, windowed};
use crate::ids::{AgencyId, BankReceiptId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, Purse, post_all};
use crate::money::{Currency, Money};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ReceiptRow in bank_receipt {
        id: i64,
        account: String,
        amount_minor: i64,
        currency: String,
        value_date: NaiveDate,
        bank_reference: String,
        purpose: String,
        agency_id: Option<i64>,
        airline_id: Option<i64>,
        cycle: Option<String>,
        /// The commission that a remittance nets.
        commission_minor: i64,
        posting_id: i64,
        created_at: NaiveDateTime,
    }
}

/// What the money is for; it decides the bank account and what is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Capital,
    Deposit(AgencyId),
    Wallet(AgencyId),
}

impl Purpose {
    pub fn text(self) -> &'static str {
        match self {
            Purpose::Capital => "capital",
            Purpose::Deposit(_) => "deposit",
            Purpose::Wallet(_) => "wallet",
        }
    }

    /// Own money and client money never share a bank account.
    pub fn purse(self) -> Purse {
        match self {
            Purpose::Capital => Purse::Own,
            Purpose::Deposit(_) | Purpose::Wallet(_) => Purse::Client,
        }
    }

    pub fn agency(self) -> Option<AgencyId> {
        match self {
            Purpose::Capital => None,
            Purpose::Deposit(agency) | Purpose::Wallet(agency) => Some(agency),
        }
    }

    fn event(self) -> Event {
        match self {
            Purpose::Capital => Event::CapitalPaidIn,
            Purpose::Deposit(_) => Event::DepositLodged,
            Purpose::Wallet(_) => Event::WalletTransferIn,
        }
    }

    fn credited(self, currency: Currency) -> AccountKey {
        match self {
            Purpose::Capital => AccountKey::platform(AccountCode::PlatformCapital, currency),
            Purpose::Deposit(agency) => AccountKey::agency(AccountCode::AgencyDeposit, agency, currency),
            Purpose::Wallet(agency) => AccountKey::agency(AccountCode::AgencyWallet, agency, currency),
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewReceipt {
    pub account: Purse,
    pub amount: Money,
    pub value_date: NaiveDate,
    pub bank_reference: String,
    pub purpose: Purpose,
}

#[derive(Clone, Debug)]
pub struct Receipt {
    pub id: BankReceiptId,
    pub account: Purse,
    pub amount: Money,
    pub value_date: NaiveDate,
    pub bank_reference: String,
    pub purpose: Purpose,
    pub posting: PostingId,
    pub created_at: NaiveDateTime,
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = DbError;

    fn try_from(row: ReceiptRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("bank receipt {}", row.id));
        let agency = row.agency_id.map(AgencyId::of);
        let purpose = match (row.purpose.as_str(), agency) {
            ("capital", None) => Purpose::Capital,
            ("deposit", Some(agency)) => Purpose::Deposit(agency),
            ("wallet", Some(agency)) => Purpose::Wallet(agency),
            _ => return Err(corrupt()),
        };
        Ok(Receipt {
            id: BankReceiptId::of(row.id),
            account: Purse::parse(&row.account).ok_or_else(corrupt)?,
            amount: Money::new(row.amount_minor, Currency::parse(&row.currency).map_err(|_| corrupt())?),
            value_date: row.value_date,
            purpose,
            posting: PostingId::of(row.posting_id),
            bank_reference: row.bank_reference,
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("a receipt is more than zero")]
    NotPositive,
    #[error("{} belongs on the {} account", .0.text(), .0.purse().text())]
    WrongAccount(Purpose),
    #[error("no such agency")]
    NoAgency,
    /// What an agency lodges or prepays counts for its sales, which are in one currency.
    #[error("the agency is in {agency}")]
    CurrencyMismatch { agency: Currency },
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("bank reference {reference} was recorded with another {field}")]
    ReferenceReused { reference: String, field: &'static str },
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Books a receipt. The same bank reference with the same content is the same receipt: nothing is booked again.
pub fn record_receipt(tx: &mut WriteTx, actor: Actor, new: &NewReceipt) -> Result<Receipt, ReceiptError> {
    if new.amount.minor <= 0 {
        return Err(ReceiptError::NotPositive);
    }
    if new.account != new.purpose.purse() {
        return Err(ReceiptError::WrongAccount(new.purpose));
    }
    if new.value_date > tx.ledger_date {
        return Err(ReceiptError::FutureValueDate(tx.ledger_date));
    }
    if let Some(id) = new.purpose.agency() {
        lock(tx, Contended::Agency, &[id.raw()])?;
    }
    if let Some(known) = receipt_by_reference(tx.db, &new.bank_reference)? {
        return match first_difference(&known, new) {
            None => Ok(known),
            Some(field) => Err(ReceiptError::ReferenceReused { reference: known.bank_reference, field }),
        };
    }
    if let Some(id) = new.purpose.agency() {
        let agency = agency(tx.db, id)?.ok_or(ReceiptError::NoAgency)?;
        if agency.currency != new.amount.currency {
            return Err(ReceiptError::CurrencyMismatch { agency: agency.currency });
        }
    }
    let id: BankReceiptId = tx.ids.next();
    let currency = new.amount.currency;
    let legs = vec![
        Leg::debit(AccountKey::cash(new.account, currency), new.amount),
        Leg::credit(new.purpose.credited(currency), new.amount).map_err(PostError::from)?,
    ];
    let draft = Draft { event: new.purpose.event(), reference: id.raw(), contract: None, actor, legs };
    let posted = post_all(tx, &[draft])?;
    let row = ReceiptRow {
        id: id.raw(),
        account: new.account.text().to_owned(),
        amount_minor: new.amount.minor,
        currency: currency.code().to_owned(),
        value_date: new.value_date,
        bank_reference: new.bank_reference.clone(),
        purpose: new.purpose.text().to_owned(),
        agency_id: new.purpose.agency().map(Id::raw),
        airline_id: None,
        cycle: None,
        commission_minor: 0,
        posting_id: posted.first().map_or(0, |posting| posting.raw()),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(Receipt::try_from(row)?)
}

fn first_difference(known: &Receipt, new: &NewReceipt) -> Option<&'static str> {
    let fields = [
        ("amount", known.amount == new.amount),
        ("account", known.account == new.account),
        ("purpose", known.purpose.text() == new.purpose.text()),
        ("agency_id", known.purpose.agency() == new.purpose.agency()),
        ("value_date", known.value_date == new.value_date),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

pub fn receipt(db: &mut Db, id: BankReceiptId) -> Result<Option<Receipt>, DbError> {
    let row: Option<ReceiptRow> = bank_receipt::table.find(id.raw()).select(ReceiptRow::as_select()).first(db).optional()?;
    row.map(Receipt::try_from).transpose()
}

/// What is recorded under a bank's reference.
pub fn receipt_by_reference(db: &mut Db, bank_reference: &str) -> Result<Option<Receipt>, DbError> {
    let by_reference = bank_receipt::table.filter(bank_receipt::bank_reference.eq(bank_reference));
    let row: Option<ReceiptRow> = by_reference.select(ReceiptRow::as_select()).first(db).optional()?;
    row.map(Receipt::try_from).transpose()
}

/// Of these agencies, or of all.
pub fn receipts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<Receipt>, DbError> {
    let mut query = windowed!(bank_receipt::table.into_boxed(), bank_receipt::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(bank_receipt::agency_id.eq_any(agencies.iter().map(|id| Some(id.raw())).collect::<Vec<_>>()));
    }
    let rows: Vec<ReceiptRow> = query.select(ReceiptRow::as_select()).load(db)?;
    rows.into_iter().map(Receipt::try_from).collect()
}
