//! Money that left one of the platform's bank accounts: a facility repaid, taxes paid over, airlines paid what memos claimed for them. Recorded once per bank reference and booked in the same
//! commit. Locks: the bank's reference, facility slices, accounts.

use super::memo::{MemoError, owed_of_memos, pay_memos};
use super::recorded::Recorded;
use crate::airlines::airline;
use crate::audit::Actor;
use crate::credit::{
    CorrectionCause, Corrector, Facility, FacilityError, insert_corrections, interest_account, loan_account, lock_facility,
    own_money_on_its_way, recount_sublimits,
};
use crate::db::schema::bank_payment;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{AirlineId, BankPaymentId, FacilityId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, Purse, balances, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

/// How far back a repayment may be dated.
const MOST_DAYS_BACK: i64 = 366;

rows! {
    pub struct PaymentRow in bank_payment {
        id: i64,
        account: String,
        amount_minor: i64,
        currency: String,
        value_date: NaiveDate,
        bank_reference: String,
        purpose: String,
        facility_id: Option<i64>,
        principal_minor: i64,
        interest_minor: i64,
        payee: Option<String>,
        tax_code: Option<String>,
        posting_id: i64,
        created_at: NaiveDateTime,
        airline_id: Option<i64>,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentPurpose {
    FacilityRepayment {
        facility: FacilityId,
        principal: Money,
        interest: Money,
    },
    Tax {
        payee: String,
        code: String,
        amount: Money,
    },
    /// What memos claimed for it and agencies owe.
    Airline {
        airline: AirlineId,
        amount: Money,
    },
}

impl PaymentPurpose {
    pub fn text(&self) -> &'static str {
        match self {
            PaymentPurpose::FacilityRepayment { .. } => "facility_repayment",
            PaymentPurpose::Tax { .. } => "tax",
            PaymentPurpose::Airline { .. } => "airline",
        }
    }

    pub fn amount(&self) -> Result<Money, MoneyError> {
        match self {
            PaymentPurpose::FacilityRepayment { principal, interest, .. } => principal.checked_add(*interest),
            PaymentPurpose::Tax { amount, .. } | PaymentPurpose::Airline { amount, .. } => Ok(*amount),
        }
    }

    /// What it pays, field by field.
    fn debts(&self) -> Vec<(&'static str, AccountKey, Money)> {
        match self {
            PaymentPurpose::FacilityRepayment { facility, principal, interest } => vec![
                ("principal_amount", loan_account(*facility, principal.currency), *principal),
                ("interest_amount", interest_account(*facility, interest.currency), *interest),
            ],
            PaymentPurpose::Tax { payee, code, amount } => {
                vec![("amount", AccountKey::tax(payee, code, amount.currency), *amount)]
            }
            PaymentPurpose::Airline { airline, amount } => {
                vec![("amount", AccountKey::airline(AccountCode::AirlinePayable, *airline, amount.currency), *amount)]
            }
        }
    }

    fn event(&self) -> Event {
        match self {
            PaymentPurpose::FacilityRepayment { .. } => Event::FacilityRepaid,
            PaymentPurpose::Tax { .. } => Event::TaxPaid,
            PaymentPurpose::Airline { .. } => Event::AirlinePaid,
        }
    }
}

/// From the own account: what the platform owes is paid with its own money.
#[derive(Clone, Debug)]
pub struct NewPayment {
    pub purpose: PaymentPurpose,
    pub value_date: NaiveDate,
    pub bank_reference: String,
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub id: BankPaymentId,
    pub amount: Money,
    pub purpose: PaymentPurpose,
    pub value_date: NaiveDate,
    pub bank_reference: String,
    pub posting: PostingId,
    pub created_at: NaiveDateTime,
}

impl TryFrom<PaymentRow> for Payment {
    type Error = DbError;

    fn try_from(row: PaymentRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("bank payment {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt())?;
        let amount = Money::new(row.amount_minor, currency);
        let purpose = match (row.purpose.as_str(), row.facility_id, row.payee, row.tax_code, row.airline_id) {
            ("facility_repayment", Some(facility), None, None, None) => PaymentPurpose::FacilityRepayment {
                facility: FacilityId::of(facility),
                principal: Money::new(row.principal_minor, currency),
                interest: Money::new(row.interest_minor, currency),
            },
            ("tax", None, Some(payee), Some(code), None) => PaymentPurpose::Tax { payee, code, amount },
            ("airline", None, None, None, Some(airline)) => PaymentPurpose::Airline { airline: AirlineId::of(airline), amount },
            _ => return Err(corrupt()),
        };
        Ok(Payment {
            id: BankPaymentId::of(row.id),
            amount,
            purpose,
            value_date: row.value_date,
            bank_reference: row.bank_reference,
            posting: PostingId::of(row.posting_id),
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    #[error("a payment is more than zero, and no part of it negative")]
    NotPositive,
    #[error("{owed} is owed, not more")]
    MoreThanOwed { field: &'static str, owed: Money },
    #[error("the own account is short of {short}")]
    OwnCashShort { short: Money },
    #[error("no such airline")]
    NoAirline,
    #[error("the facility is in another currency")]
    CurrencyMismatch,
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("the value date is more than {MOST_DAYS_BACK} days back")]
    OldValueDate,
    #[error("bank reference {reference} was recorded with another {field}")]
    ReferenceReused { reference: String, field: &'static str },
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Books a payment. The same bank reference with the same content is the same payment: nothing is booked again.
pub fn record_payment(tx: &mut WriteTx, actor: Actor, new: &NewPayment) -> Result<Recorded<Payment>, PaymentError> {
    let amount = new.purpose.amount()?;
    let debts = new.purpose.debts();
    if amount.minor <= 0 || debts.iter().any(|(_, _, part)| part.is_negative()) {
        return Err(PaymentError::NotPositive);
    }
    if new.value_date > tx.ledger_date {
        return Err(PaymentError::FutureValueDate(tx.ledger_date));
    }
    lock_word(tx, &new.bank_reference)?;
    let line = match new.purpose {
        PaymentPurpose::FacilityRepayment { facility, .. } => Some(lock_facility(tx, facility)?),
        PaymentPurpose::Tax { .. } | PaymentPurpose::Airline { .. } => None,
    };
    if let PaymentPurpose::Airline { airline: id, .. } = new.purpose {
        airline(tx.db, id)?.ok_or(PaymentError::NoAirline)?;
    }
    if line.as_ref().is_some_and(|line| line.limit.currency != amount.currency) {
        return Err(PaymentError::CurrencyMismatch);
    }
    if let Some(known) = payment_by_reference(tx.db, &new.bank_reference)? {
        return match first_difference(&known, new) {
            None => Ok(Recorded::Before(known)),
            Some(field) => Err(PaymentError::ReferenceReused { reference: known.bank_reference, field }),
        };
    }
    let id: BankPaymentId = tx.ids.next();
    let dated_back = dated_back(tx, id, line.as_ref(), new)?;
    let cash = AccountKey::cash(Purse::Own, amount.currency);
    let book = locked_book(tx, &cash, &debts, dated_back.as_ref())?;
    for (field, account, part) in &debts {
        let mut owed = match new.purpose {
            // What tickets carry is paid by their advances.
            PaymentPurpose::Airline { airline, amount } => owed_of_memos(tx.db, airline, amount.currency)?,
            _ => book.balance(account),
        };
        if let Some(back) = dated_back.as_ref() {
            owed = back.owed(account, owed)?;
        }
        // Of interest, the bank may owe some back: then none is due.
        if part.minor > owed.minor.max(0) {
            return Err(PaymentError::MoreThanOwed { field, owed: Money::new(owed.minor.max(0), owed.currency) });
        }
    }
    let free = book.balance(&cash).checked_sub(own_money_on_its_way(tx.db, amount.currency)?)?;
    let short = amount.checked_sub(free)?;
    if short.minor > 0 {
        return Err(PaymentError::OwnCashShort { short });
    }
    Ok(Recorded::Now(write(tx, actor, (id, book), new, dated_back)?))
}

/// A repayment with a value date in the past: days that are over cost less.
struct DatedBack {
    corrector: Corrector,
    interest: AccountKey,
    loan: AccountKey,
    /// What the correction adds to the interest owed; less than zero, mostly.
    booked: Money,
    /// What was drawn by the value date, at most.
    repayable: Money,
}

impl DatedBack {
    fn owed(&self, account: &AccountKey, owed: Money) -> Result<Money, MoneyError> {
        match account {
            account if *account == self.interest => owed.checked_add(self.booked),
            account if *account == self.loan => Ok(if self.repayable.minor < owed.minor { self.repayable } else { owed }),
            _ => Ok(owed),
        }
    }
}

fn dated_back(
    tx: &mut WriteTx,
    id: BankPaymentId,
    line: Option<&Facility>,
    new: &NewPayment,
) -> Result<Option<DatedBack>, PaymentError> {
    let PaymentPurpose::FacilityRepayment { principal, .. } = &new.purpose else { return Ok(None) };
    let Some(line) = line.filter(|_| new.value_date < tx.ledger_date && principal.minor > 0) else { return Ok(None) };
    if tx.ledger_date.signed_duration_since(new.value_date).num_days() > MOST_DAYS_BACK {
        return Err(PaymentError::OldValueDate);
    }
    let mut corrector = Corrector::read(tx, line, new.value_date)?;
    let repayable = corrector.least_drawn(new.value_date, tx.ledger_date)?.unwrap_or(*principal);
    let booked = corrector.moves(tx, CorrectionCause::repayment(id), principal.checked_neg()?, new.value_date)?;
    let (interest, loan) = (interest_account(line.id, booked.currency), loan_account(line.id, booked.currency));
    Ok(Some(DatedBack { corrector, interest, loan, booked, repayable }))
}

/// Cash and what is owed, locked; a debt whose account was never opened is none.
fn locked_book(
    tx: &mut WriteTx,
    cash: &AccountKey,
    debts: &[(&'static str, AccountKey, Money)],
    dated_back: Option<&DatedBack>,
) -> Result<Book, DbError> {
    let keys: Vec<AccountKey> = debts.iter().map(|(_, account, _)| account.clone()).collect();
    let mut open: Vec<AccountKey> = balances(tx.db, &keys)?.into_iter().map(|(key, _)| key).collect();
    open.push(cash.clone());
    for account in dated_back.iter().flat_map(|back| back.corrector.accounts()) {
        if !open.contains(&account) {
            open.push(account);
        }
    }
    let ids = open_accounts(tx, &open)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    Ok(book)
}

fn write(
    tx: &mut WriteTx,
    actor: Actor,
    (id, mut book): (BankPaymentId, Book),
    new: &NewPayment,
    dated_back: Option<DatedBack>,
) -> Result<Payment, PaymentError> {
    let amount = new.purpose.amount()?;
    let mut legs: Vec<Leg> = new.purpose.debts().into_iter().map(|(_, account, part)| Leg::debit(account, part)).collect();
    legs.push(Leg::credit(AccountKey::cash(Purse::Own, amount.currency), amount)?);
    let draft = Draft { event: new.purpose.event(), reference: id.raw(), contract: None, actor, legs };
    let posting = book.post(tx, &draft)?;
    let corrections = match dated_back {
        Some(back) => back.corrector.post(tx, actor, &mut book)?,
        None => Vec::new(),
    };
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert_corrections(tx, &corrections)?;
    if let PaymentPurpose::FacilityRepayment { facility, principal, .. } = &new.purpose {
        let drawn = book.balance(&loan_account(*facility, principal.currency));
        recount_sublimits(tx, *facility, drawn)?;
    }
    if let PaymentPurpose::Airline { airline, amount } = new.purpose {
        pay_memos(tx, airline, amount)?;
    }
    let row = payment_row(tx, id, new, posting)?;
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(
        tx,
        match new.purpose {
            PaymentPurpose::FacilityRepayment { facility, .. } => {
                NewEvent::new(EventType::FacilityRepaid, id).of_facility(facility)
            }
            PaymentPurpose::Tax { .. } => NewEvent::new(EventType::TaxPaid, id),
            PaymentPurpose::Airline { airline, .. } => NewEvent::new(EventType::AirlinePaid, id).of_airline(airline),
        },
    )?;
    Ok(Payment::try_from(row)?)
}

fn payment_row(tx: &WriteTx, id: BankPaymentId, new: &NewPayment, posting: PostingId) -> Result<PaymentRow, MoneyError> {
    let amount = new.purpose.amount()?;
    let row = PaymentRow {
        id: id.raw(),
        account: Purse::Own.text().to_owned(),
        amount_minor: amount.minor,
        currency: amount.currency.code().to_owned(),
        value_date: new.value_date,
        bank_reference: new.bank_reference.clone(),
        purpose: new.purpose.text().to_owned(),
        facility_id: None,
        principal_minor: 0,
        interest_minor: 0,
        payee: None,
        tax_code: None,
        posting_id: posting.raw(),
        created_at: tx.now.naive(),
        airline_id: None,
    };
    Ok(match &new.purpose {
        PaymentPurpose::FacilityRepayment { facility, principal, interest } => PaymentRow {
            facility_id: Some(facility.raw()),
            principal_minor: principal.minor,
            interest_minor: interest.minor,
            ..row
        },
        PaymentPurpose::Tax { payee, code, .. } => PaymentRow { payee: Some(payee.clone()), tax_code: Some(code.clone()), ..row },
        PaymentPurpose::Airline { airline, .. } => PaymentRow { airline_id: Some(airline.raw()), ..row },
    })
}

impl From<MemoError> for PaymentError {
    fn from(error: MemoError) -> Self {
        match error {
            MemoError::Money(error) => error.into(),
            MemoError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}

fn first_difference(known: &Payment, new: &NewPayment) -> Option<&'static str> {
    if known.value_date != new.value_date {
        return Some("value_date");
    }
    match (&known.purpose, &new.purpose) {
        (one, other) if one == other => None,
        (
            PaymentPurpose::FacilityRepayment { facility, principal, .. },
            PaymentPurpose::FacilityRepayment { facility: other, principal: paid, .. },
        ) if facility == other => Some(if principal == paid { "interest_amount" } else { "principal_amount" }),
        (PaymentPurpose::Tax { payee, code, .. }, PaymentPurpose::Tax { payee: other, code: paid, .. }) => {
            Some(if payee != other {
                "payee"
            } else if code != paid {
                "tax_code"
            } else {
                "amount"
            })
        }
        (PaymentPurpose::Airline { airline, .. }, PaymentPurpose::Airline { airline: other, .. }) => {
            Some(if airline == other { "amount" } else { "airline_id" })
        }
        _ => Some("bank_reference"),
    }
}

fn payment_by_reference(db: &mut Db, bank_reference: &str) -> Result<Option<Payment>, DbError> {
    let by_reference = bank_payment::table.filter(bank_payment::bank_reference.eq(bank_reference));
    let row: Option<PaymentRow> = by_reference.select(PaymentRow::as_select()).first(db).optional()?;
    row.map(Payment::try_from).transpose()
}

#[derive(Clone, Debug)]
pub enum PaymentsOf {
    Facility(FacilityId),
    Taxes,
    /// Of these airlines, or of all.
    Airlines(Option<Vec<AirlineId>>),
}

/// Newest first.
pub fn payments_of(db: &mut Db, of: &PaymentsOf, window: Window, limit: i64) -> Result<Vec<Payment>, DbError> {
    let mut query = windowed!(bank_payment::table.into_boxed(), bank_payment::id, window, limit);
    query = match of {
        PaymentsOf::Facility(id) => query.filter(bank_payment::facility_id.eq(id.raw())),
        PaymentsOf::Taxes => query.filter(bank_payment::purpose.eq("tax")),
        PaymentsOf::Airlines(None) => query.filter(bank_payment::purpose.eq("airline")),
        PaymentsOf::Airlines(Some(of)) => {
            let of: Vec<Option<i64>> = of.iter().map(|id| Some(id.raw())).collect();
            query.filter(bank_payment::purpose.eq("airline")).filter(bank_payment::airline_id.eq_any(of))
        }
    };
    let rows: Vec<PaymentRow> = query.select(PaymentRow::as_select()).load(db)?;
    rows.into_iter().map(Payment::try_from).collect()
}
