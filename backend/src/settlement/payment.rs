//! Money that left one of the platform's bank accounts: a facility repaid, taxes paid over. Recorded once per bank reference and booked in the same
//! commit. Locks: the bank's reference, facility slices, accounts.

use crate::audit::Actor;
use crate::credit::{FacilityError, interest_account, loan_account, lock_facility};
use crate::db::schema::bank_payment;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{BankPaymentId, FacilityId, Id, PostingId};
use crate::ledger::{AccountKey, Book, Draft, Event, Leg, PostError, Purse, balances, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

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
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentPurpose {
    FacilityRepayment { facility: FacilityId, principal: Money, interest: Money },
    Tax { payee: String, code: String, amount: Money },
}

impl PaymentPurpose {
    pub fn text(&self) -> &'static str {
        match self {
            PaymentPurpose::FacilityRepayment { .. } => "facility_repayment",
            PaymentPurpose::Tax { .. } => "tax",
        }
    }

    pub fn amount(&self) -> Result<Money, MoneyError> {
        match self {
            PaymentPurpose::FacilityRepayment { principal, interest, .. } => principal.checked_add(*interest),
            PaymentPurpose::Tax { amount, .. } => Ok(*amount),
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
        }
    }

    fn event(&self) -> Event {
        match self {
            PaymentPurpose::FacilityRepayment { .. } => Event::FacilityRepaid,
            PaymentPurpose::Tax { .. } => Event::TaxPaid,
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
        let purpose = match (row.purpose.as_str(), row.facility_id, row.payee, row.tax_code) {
            ("facility_repayment", Some(facility), None, None) => PaymentPurpose::FacilityRepayment {
                facility: FacilityId::of(facility),
                principal: Money::new(row.principal_minor, currency),
                interest: Money::new(row.interest_minor, currency),
            },
            ("tax", None, Some(payee), Some(code)) => PaymentPurpose::Tax { payee, code, amount },
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
    #[error("the facility is in another currency")]
    CurrencyMismatch,
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
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
pub fn record_payment(tx: &mut WriteTx, actor: Actor, new: &NewPayment) -> Result<Payment, PaymentError> {
    let amount = new.purpose.amount()?;
    let debts = new.purpose.debts();
    if amount.minor <= 0 || debts.iter().any(|(_, _, part)| part.is_negative()) {
        return Err(PaymentError::NotPositive);
    }
    if new.value_date > tx.ledger_date {
        return Err(PaymentError::FutureValueDate(tx.ledger_date));
    }
    lock_word(tx, &new.bank_reference)?;
    if let PaymentPurpose::FacilityRepayment { facility, .. } = new.purpose
        && lock_facility(tx, facility)?.limit.currency != amount.currency
    {
        return Err(PaymentError::CurrencyMismatch);
    }
    let cash = AccountKey::cash(Purse::Own, amount.currency);
    let book = locked_book(tx, &cash, &debts)?;
    if let Some(known) = payment_by_reference(tx.db, &new.bank_reference)? {
        return match first_difference(&known, new) {
            None => Ok(known),
            Some(field) => Err(PaymentError::ReferenceReused { reference: known.bank_reference, field }),
        };
    }
    for (field, account, part) in &debts {
        let owed = book.balance(account);
        if part.minor > owed.minor {
            return Err(PaymentError::MoreThanOwed { field, owed: Money::new(owed.minor.max(0), owed.currency) });
        }
    }
    let short = amount.checked_sub(book.balance(&cash))?;
    if short.minor > 0 {
        return Err(PaymentError::OwnCashShort { short });
    }
    write(tx, actor, book, new, amount)
}

/// Cash and what is owed, locked; a debt whose account was never opened is none.
fn locked_book(tx: &mut WriteTx, cash: &AccountKey, debts: &[(&'static str, AccountKey, Money)]) -> Result<Book, DbError> {
    let keys: Vec<AccountKey> = debts.iter().map(|(_, account, _)| account.clone()).collect();
    let mut open: Vec<AccountKey> = balances(tx.db, &keys)?.into_iter().map(|(key, _)| key).collect();
    open.push(cash.clone());
    let ids = open_accounts(tx, &open)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    Ok(book)
}

fn write(tx: &mut WriteTx, actor: Actor, mut book: Book, new: &NewPayment, amount: Money) -> Result<Payment, PaymentError> {
    let id: BankPaymentId = tx.ids.next();
    let mut legs: Vec<Leg> = new.purpose.debts().into_iter().map(|(_, account, part)| Leg::debit(account, part)).collect();
    legs.push(Leg::credit(AccountKey::cash(Purse::Own, amount.currency), amount)?);
    let draft = Draft { event: new.purpose.event(), reference: id.raw(), contract: None, actor, legs };
    let posting = book.post(tx, &draft)?;
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    let (facility, principal, interest, payee, code) = match &new.purpose {
        PaymentPurpose::FacilityRepayment { facility, principal, interest } => {
            (Some(facility.raw()), principal.minor, interest.minor, None, None)
        }
        PaymentPurpose::Tax { payee, code, .. } => (None, 0, 0, Some(payee.clone()), Some(code.clone())),
    };
    let row = PaymentRow {
        id: id.raw(),
        account: Purse::Own.text().to_owned(),
        amount_minor: amount.minor,
        currency: amount.currency.code().to_owned(),
        value_date: new.value_date,
        bank_reference: new.bank_reference.clone(),
        purpose: new.purpose.text().to_owned(),
        facility_id: facility,
        principal_minor: principal,
        interest_minor: interest,
        payee,
        tax_code: code,
        posting_id: posting.raw(),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(
        tx,
        match new.purpose {
            PaymentPurpose::FacilityRepayment { facility, .. } => {
                NewEvent::new(EventType::FacilityRepaid, id).of_facility(facility)
            }
            PaymentPurpose::Tax { .. } => NewEvent::new(EventType::TaxPaid, id),
        },
    )?;
    Ok(Payment::try_from(row)?)
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
        _ => Some("bank_reference"),
    }
}

pub fn payment_by_reference(db: &mut Db, bank_reference: &str) -> Result<Option<Payment>, DbError> {
    let by_reference = bank_payment::table.filter(bank_payment::bank_reference.eq(bank_reference));
    let row: Option<PaymentRow> = by_reference.select(PaymentRow::as_select()).first(db).optional()?;
    row.map(Payment::try_from).transpose()
}

/// The repayments of one facility, or without one the payments of taxes; newest first.
pub fn payments_of(db: &mut Db, facility: Option<FacilityId>, window: Window, limit: i64) -> Result<Vec<Payment>, DbError> {
    let mut query = windowed!(bank_payment::table.into_boxed(), bank_payment::id, window, limit);
    query = match facility {
        Some(id) => query.filter(bank_payment::facility_id.eq(id.raw())),
        None => query.filter(bank_payment::purpose.eq("tax")),
    };
    let rows: Vec<PaymentRow> = query.select(PaymentRow::as_select()).load(db)?;
    rows.into_iter().map(Payment::try_from).collect()
}
