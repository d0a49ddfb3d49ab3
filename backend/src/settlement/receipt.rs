//! Money that reached one of the platform's bank accounts: recorded once per bank reference and booked in the same commit.

use super::allocation::{self, SettledBy, Settlement, Share, oldest_first};
use super::cycles::{all_cycles, cycle_standing};
use super::default::{DefaultError, note_recovery};
use super::guarantee_call::{self, CallError};
use super::obligation::{ObligationError, look_again};
use super::recorded::Recorded;
use crate::agencies::{Cycle, agency};
use crate::airlines::airline;
use crate::audit::Actor;
use crate::credit::{RepaymentError, repay_claims};
use crate::db::schema::bank_receipt;
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, lock_word, rows, windowed};
use crate::ids::{AgencyId, AirlineId, BankReceiptId, GuaranteeId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, Purse, balance, post_all};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
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
        guarantee_id: Option<i64>,
    }
}

/// What the money is for; it decides the bank account and what is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Capital,
    Deposit(AgencyId),
    Wallet(AgencyId),
    /// What an agency owes for the tickets of a cycle.
    Remittance(AgencyId, Cycle),
    /// The same without a cycle: the oldest is paid first.
    RemittanceOldestFirst(AgencyId),
    /// Late fees and financing.
    Charges(AgencyId),
    /// Of what was written off.
    Recovery(AgencyId),
    /// What a guarantor pays for an agency in default.
    Guarantee(AgencyId, GuaranteeId),
    /// What an airline gives back for tickets that were voided after it was paid.
    AirlineRepayment(AirlineId),
}

impl Purpose {
    pub fn text(self) -> &'static str {
        match self {
            Purpose::Capital => "capital",
            Purpose::Deposit(_) => "deposit",
            Purpose::Wallet(_) => "wallet",
            Purpose::Remittance(..) | Purpose::RemittanceOldestFirst(_) => "remittance",
            Purpose::Charges(_) => "charges",
            Purpose::Recovery(_) => "recovery",
            Purpose::Guarantee(..) => "guarantee",
            Purpose::AirlineRepayment(_) => "airline_repayment",
        }
    }

    /// Own money and client money never share a bank account.
    pub fn purse(self) -> Purse {
        match self {
            Purpose::Capital
            | Purpose::Remittance(..)
            | Purpose::RemittanceOldestFirst(_)
            | Purpose::Charges(_)
            | Purpose::Recovery(_)
            | Purpose::Guarantee(..)
            | Purpose::AirlineRepayment(_) => Purse::Own,
            Purpose::Deposit(_) | Purpose::Wallet(_) => Purse::Client,
        }
    }

    pub fn agency(self) -> Option<AgencyId> {
        match self {
            Purpose::Capital | Purpose::AirlineRepayment(_) => None,
            Purpose::Deposit(agency)
            | Purpose::Wallet(agency)
            | Purpose::Remittance(agency, _)
            | Purpose::RemittanceOldestFirst(agency)
            | Purpose::Charges(agency)
            | Purpose::Recovery(agency)
            | Purpose::Guarantee(agency, _) => Some(agency),
        }
    }

    pub fn airline(self) -> Option<AirlineId> {
        if let Purpose::AirlineRepayment(airline) = self { Some(airline) } else { None }
    }

    pub fn guarantee(self) -> Option<GuaranteeId> {
        if let Purpose::Guarantee(_, guarantee) = self { Some(guarantee) } else { None }
    }

    fn event(self, id: BankReceiptId) -> NewEvent {
        match self {
            Purpose::Capital => NewEvent::new(EventType::CapitalReceived, id),
            Purpose::Deposit(agency) => NewEvent::new(EventType::DepositReceived, id).of_agency(agency),
            Purpose::Wallet(agency) => NewEvent::new(EventType::WalletReceived, id).of_agency(agency),
            Purpose::Remittance(agency, _) | Purpose::RemittanceOldestFirst(agency) => {
                NewEvent::new(EventType::RemittanceReceived, id).of_agency(agency)
            }
            Purpose::Charges(agency) => NewEvent::new(EventType::ChargesReceived, id).of_agency(agency),
            Purpose::Recovery(agency) => NewEvent::new(EventType::DefaultRecovered, id).of_agency(agency),
            Purpose::Guarantee(agency, guarantee) => {
                NewEvent::new(EventType::GuaranteePaid, id).of_agency(agency).naming("guarantee_id", guarantee)
            }
            Purpose::AirlineRepayment(airline) => NewEvent::new(EventType::AirlineRepaymentReceived, id).of_airline(airline),
        }
    }

    pub fn cycle(self) -> Option<Cycle> {
        if let Purpose::Remittance(_, cycle) = self { Some(cycle) } else { None }
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
    /// The commission that a remittance netted.
    pub commission: Money,
    pub posting: PostingId,
    pub created_at: NaiveDateTime,
}

impl TryFrom<ReceiptRow> for Receipt {
    type Error = DbError;

    fn try_from(row: ReceiptRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("bank receipt {}", row.id));
        let agency = row.agency_id.map(AgencyId::of);
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt())?;
        let cycle = row.cycle.as_deref().and_then(Cycle::parse);
        let guarantee = row.guarantee_id.map(GuaranteeId::of);
        let purpose = match (row.purpose.as_str(), agency, row.airline_id, cycle) {
            ("capital", None, None, None) => Purpose::Capital,
            ("deposit", Some(agency), None, None) => Purpose::Deposit(agency),
            ("wallet", Some(agency), None, None) => Purpose::Wallet(agency),
            ("remittance", Some(agency), None, Some(cycle)) => Purpose::Remittance(agency, cycle),
            ("remittance", Some(agency), None, None) => Purpose::RemittanceOldestFirst(agency),
            ("charges", Some(agency), None, None) => Purpose::Charges(agency),
            ("recovery", Some(agency), None, None) => Purpose::Recovery(agency),
            ("guarantee", Some(agency), None, None) => Purpose::Guarantee(agency, guarantee.ok_or_else(corrupt)?),
            ("airline_repayment", None, Some(airline), None) => Purpose::AirlineRepayment(AirlineId::of(airline)),
            _ => return Err(corrupt()),
        };
        Ok(Receipt {
            id: BankReceiptId::of(row.id),
            account: Purse::parse(&row.account).ok_or_else(corrupt)?,
            amount: Money::new(row.amount_minor, currency),
            commission: Money::new(row.commission_minor, currency),
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
    #[error("no such airline")]
    NoAirline,
    #[error("the agency sold nothing on credit in cycle {0}")]
    NothingInCycle(Cycle),
    #[error("nothing of the agency is there to be paid")]
    NothingOwed,
    #[error("the agency owes {open} in charges, not more")]
    MoreThanCharged { open: Money },
    #[error("{left} is left to be recovered, not more")]
    MoreThanLost { left: Money },
    #[error("the airline has to give back {open}, not more")]
    MoreThanClaimed { open: Money },
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("bank reference {reference} was recorded with another {field}")]
    ReferenceReused { reference: String, field: &'static str },
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ObligationError> for ReceiptError {
    fn from(error: ObligationError) -> Self {
        match error {
            ObligationError::Money(error) => error.into(),
            ObligationError::Db(error) => error.into(),
        }
    }
}

impl From<DefaultError> for ReceiptError {
    fn from(error: DefaultError) -> Self {
        match error {
            DefaultError::NotRecovered { left } => ReceiptError::MoreThanLost { left },
            DefaultError::Money(error) => error.into(),
            DefaultError::Post(error) => error.into(),
            DefaultError::Db(error) => error.into(),
            _ => ReceiptError::NothingOwed,
        }
    }
}

impl From<RepaymentError> for ReceiptError {
    fn from(error: RepaymentError) -> Self {
        match error {
            RepaymentError::MoreThanOpen { open, .. } => ReceiptError::MoreThanClaimed { open },
            RepaymentError::Money(error) => error.into(),
            RepaymentError::Post(error) => error.into(),
            RepaymentError::Db(error) => error.into(),
        }
    }
}

/// Books a receipt. The same bank reference with the same content is the same receipt: nothing is booked again.
pub fn record_receipt(tx: &mut WriteTx, actor: Actor, new: &NewReceipt) -> Result<Recorded<Receipt>, ReceiptError> {
    if new.amount.minor <= 0 {
        return Err(ReceiptError::NotPositive);
    }
    if new.account != new.purpose.purse() {
        return Err(ReceiptError::WrongAccount(new.purpose));
    }
    if new.value_date > tx.ledger_date {
        return Err(ReceiptError::FutureValueDate(tx.ledger_date));
    }
    lock_word(tx, &new.bank_reference)?;
    if let Some(id) = new.purpose.agency() {
        lock(tx, Contended::Agency, &[id.raw()])?;
    }
    if let Some(known) = receipt_by_reference(tx.db, &new.bank_reference)? {
        return match first_difference(&known, new) {
            None => Ok(Recorded::Before(known)),
            Some(field) => Err(ReceiptError::ReferenceReused { reference: known.bank_reference, field }),
        };
    }
    if let Some(id) = new.purpose.agency() {
        let agency = agency(tx.db, id)?.ok_or(ReceiptError::NoAgency)?;
        if agency.currency != new.amount.currency {
            return Err(ReceiptError::CurrencyMismatch { agency: agency.currency });
        }
    }
    if let Some(id) = new.purpose.airline() {
        airline(tx.db, id)?.ok_or(ReceiptError::NoAirline)?;
    }
    let id: BankReceiptId = tx.ids.next();
    let currency = new.amount.currency;
    let (posting, shares) = book(tx, actor, id, new)?;
    let row = ReceiptRow {
        id: id.raw(),
        account: new.account.text().to_owned(),
        amount_minor: new.amount.minor,
        currency: currency.code().to_owned(),
        value_date: new.value_date,
        bank_reference: new.bank_reference.clone(),
        purpose: new.purpose.text().to_owned(),
        agency_id: new.purpose.agency().map(Id::raw),
        airline_id: new.purpose.airline().map(Id::raw),
        cycle: new.purpose.cycle().map(|cycle| cycle.to_string()),
        commission_minor: Money::sum(currency, shares.iter().map(|share| share.commission))?.minor,
        posting_id: posting.raw(),
        created_at: tx.now.naive(),
        guarantee_id: new.purpose.guarantee().map(Id::raw),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    if let Some(agency) = new.purpose.agency().filter(|_| !shares.is_empty()) {
        let by = match new.purpose {
            Purpose::Guarantee(..) => SettledBy::Guarantee(id),
            _ => SettledBy::Remittance(id),
        };
        allocation::keep(tx, &Settlement { agency, by, day: new.value_date, posting, shares: &shares })?;
        look_again(tx, agency, currency, &shares.iter().map(|share| share.cycle).collect::<Vec<_>>())?;
    }
    emit(tx, new.purpose.event(id))?;
    Ok(Recorded::Now(Receipt::try_from(row)?))
}

/// The posting, and how a remittance is spread over cycles.
fn book(tx: &mut WriteTx, actor: Actor, id: BankReceiptId, new: &NewReceipt) -> Result<(PostingId, Vec<Share>), ReceiptError> {
    let currency = new.amount.currency;
    let agency = |code, agency| AccountKey::agency(code, agency, currency);
    let call = match new.purpose {
        Purpose::Guarantee(of, guarantee) => Some(guarantee_call::check(tx.db, of, guarantee, new.amount, new.value_date)?),
        _ => None,
    };
    let shares = match &call {
        Some(call) => call.shares(tx.db)?,
        None => shares(tx.db, new)?,
    };
    let (event, credited) = match new.purpose {
        Purpose::Capital => (Event::CapitalPaidIn, AccountKey::platform(AccountCode::PlatformCapital, currency)),
        Purpose::Deposit(of) => (Event::DepositLodged, agency(AccountCode::AgencyDeposit, of)),
        Purpose::Wallet(of) => (Event::WalletTransferIn, agency(AccountCode::AgencyWallet, of)),
        Purpose::Charges(of) => (Event::ChargesPaid, agency(AccountCode::AgencyCharges, of)),
        Purpose::Recovery(_) => (Event::DebtRecovered, AccountKey::platform(AccountCode::PlatformCreditLossExpense, currency)),
        Purpose::Remittance(of, _) | Purpose::RemittanceOldestFirst(of) => {
            (Event::AgencyRemitted, agency(AccountCode::AgencyReceivable, of))
        }
        Purpose::Guarantee(of, _) => (Event::GuaranteePaid, agency(AccountCode::AgencyReceivable, of)),
        Purpose::AirlineRepayment(airline) => return Ok((repay_claims(tx, actor, airline, new.amount, id)?, shares)),
    };
    if let Purpose::Charges(_) = new.purpose {
        let found = balance(tx.db, &credited)?;
        if new.amount.minor > found.minor {
            return Err(ReceiptError::MoreThanCharged { open: Money::new(found.minor.max(0), currency) });
        }
    }
    if let Purpose::Recovery(of) = new.purpose {
        note_recovery(tx, of, new.amount)?;
    }
    let mut legs = vec![Leg::debit(AccountKey::cash(new.account, currency), new.amount)];
    match new.purpose {
        Purpose::Remittance(of, _) | Purpose::RemittanceOldestFirst(of) | Purpose::Guarantee(of, _) => {
            for share in &shares {
                legs.extend(share.legs(of)?);
            }
        }
        _ => legs.push(Leg::credit(credited, new.amount)?),
    }
    let posted = post_all(tx, &[Draft { event, reference: id.raw(), contract: None, actor, legs }])?;
    if let Some(call) = call {
        call.note(tx)?;
    }
    Ok((posted.first().copied().ok_or(PostError::Empty)?, shares))
}

fn shares(db: &mut Db, new: &NewReceipt) -> Result<Vec<Share>, ReceiptError> {
    let currency = new.amount.currency;
    match new.purpose {
        Purpose::Remittance(of, cycle) => {
            let standing = cycle_standing(db, of, currency, cycle)?.ok_or(ReceiptError::NothingInCycle(cycle))?;
            Ok(vec![Share::of(&standing, new.amount)?])
        }
        Purpose::RemittanceOldestFirst(of) => {
            let shares = oldest_first(&all_cycles(db, of, currency)?, new.amount)?;
            if shares.is_empty() { Err(ReceiptError::NothingOwed) } else { Ok(shares) }
        }
        _ => Ok(Vec::new()),
    }
}

fn first_difference(known: &Receipt, new: &NewReceipt) -> Option<&'static str> {
    let fields = [
        ("amount", known.amount == new.amount),
        ("account", known.account == new.account),
        ("purpose", known.purpose.text() == new.purpose.text()),
        ("agency_id", known.purpose.agency() == new.purpose.agency()),
        ("airline_id", known.purpose.airline() == new.purpose.airline()),
        ("cycle", known.purpose.cycle() == new.purpose.cycle()),
        ("guarantee_id", known.purpose.guarantee() == new.purpose.guarantee()),
        ("value_date", known.value_date == new.value_date),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

pub fn receipt(db: &mut Db, id: BankReceiptId) -> Result<Option<Receipt>, DbError> {
    let row: Option<ReceiptRow> = bank_receipt::table.find(id.raw()).select(ReceiptRow::as_select()).first(db).optional()?;
    row.map(Receipt::try_from).transpose()
}

/// What is recorded under a bank's reference.
fn receipt_by_reference(db: &mut Db, bank_reference: &str) -> Result<Option<Receipt>, DbError> {
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
