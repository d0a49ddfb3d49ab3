//! What agencies are expected never to pay: their exposure at the close of a day times the rate of their contract, held as an allowance. It is brought up
//! or down to that, so running it again books nothing. A write-off takes from it what it needs. Locks: agencies, accounts.

use crate::agencies::{contracts_of, lock_agency};
use crate::audit::Actor;
use crate::credit::{Standing, standing_accounts};
use crate::db::schema::loss_provision;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, PostingId, ProvisionId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, open_accounts};
use crate::money::{Currency, Money, Rate};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ProvisionRow in loss_provision {
        id: i64,
        agency_id: i64,
        currency: String,
        /// The day whose close it is, or on which something is written off.
        day: NaiveDate,
        cause: String,
        exposure_minor: i64,
        rate: String,
        /// What the allowance is after it.
        allowance_minor: i64,
        booked_minor: i64,
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug)]
pub struct Provision {
    pub id: ProvisionId,
    pub agency: AgencyId,
    pub day: NaiveDate,
    pub exposure: Money,
    pub rate: String,
    pub allowance: Money,
    /// Negative where less is expected to be lost than before.
    pub booked: Money,
    pub posting: Option<PostingId>,
    pub created_at: NaiveDateTime,
}

impl TryFrom<ProvisionRow> for Provision {
    type Error = DbError;

    fn try_from(row: ProvisionRow) -> Result<Self, DbError> {
        let currency = Currency::parse(&row.currency).map_err(|_| DbError::Corrupt(format!("provision {}", row.id)))?;
        Ok(Provision {
            id: ProvisionId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            day: row.day,
            exposure: Money::new(row.exposure_minor, currency),
            rate: row.rate,
            allowance: Money::new(row.allowance_minor, currency),
            booked: Money::new(row.booked_minor, currency),
            posting: row.posting_id.map(PostingId::of),
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error("{asked} is not over: losses are provided for up to {last}")]
    NotOver { asked: NaiveDate, last: NaiveDate },
    #[error("no such agency")]
    NotFound,
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

pub fn allowance_account(agency: AgencyId, currency: Currency) -> AccountKey {
    AccountKey::agency(AccountCode::PlatformCreditLossAllowance, agency, currency)
}

/// At the close of a day, once: answers nothing where the day is provided for already, or there is nothing to provide.
pub fn provide_for_day(
    tx: &mut WriteTx,
    actor: Actor,
    agency: AgencyId,
    currency: Currency,
    day: NaiveDate,
) -> Result<Option<Provision>, ProvisionError> {
    let last = tx.ledger_date.pred_opt().unwrap_or(tx.ledger_date);
    if day > last {
        return Err(ProvisionError::NotOver { asked: day, last });
    }
    if lock_agency(tx, agency)?.is_none() {
        return Err(ProvisionError::NotFound);
    }
    let of_day = loss_provision::table
        .filter(loss_provision::agency_id.eq(agency.raw()))
        .filter(loss_provision::currency.eq(currency.code()))
        .filter(loss_provision::day.ge(day))
        .filter(loss_provision::cause.eq("close"));
    let known: i64 = of_day.count().get_result(&mut *tx.db).map_err(DbError::from)?;
    if known > 0 {
        return Ok(None);
    }
    Ok(book(tx, actor, (agency, currency), ("close", day), None)?)
}

/// So that at least `least` can be written off: the allowance is brought up to that, or to what the exposure asks for if that is more.
pub fn provide(tx: &mut WriteTx, actor: Actor, agency: AgencyId, least: Money) -> Result<Option<Provision>, PostError> {
    if lock_agency(tx, agency)?.is_none() {
        return Err(DbError::Corrupt(format!("there is no agency {agency}")).into());
    }
    let today = tx.ledger_date;
    book(tx, actor, (agency, least.currency), ("write_off", today), Some(least))
}

/// The highest rate of the contracts in force: what is owed is not kept apart by contract.
fn rate_of(db: &mut Db, agency: AgencyId, currency: Currency, date: NaiveDate) -> Result<Rate, DbError> {
    let mut rate = Rate::from(rust_decimal::Decimal::ZERO);
    let contracts = contracts_of(db, agency)?;
    let begun = || contracts.iter().filter(|known| known.currency == currency && known.effective_from <= date);
    for contract in begun() {
        let later = begun().any(|other| other.airline == contract.airline && other.version > contract.version);
        if !later && contract.costs.expected_loss_rate > rate {
            rate = contract.costs.expected_loss_rate;
        }
    }
    Ok(rate)
}

fn book(
    tx: &mut WriteTx,
    actor: Actor,
    (agency, currency): (AgencyId, Currency),
    (cause, day): (&str, NaiveDate),
    least: Option<Money>,
) -> Result<Option<Provision>, PostError> {
    let rate = rate_of(tx.db, agency, currency, tx.ledger_date)?;
    let allowance = allowance_account(agency, currency);
    let expense = AccountKey::platform(AccountCode::PlatformCreditLossExpense, currency);
    let mut keys = standing_accounts(agency, currency);
    keys.extend([allowance.clone(), expense.clone()]);
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    let zero = Money::zero(currency);
    let exposure = Standing::in_book(&book, agency, currency).exposure()?;
    let exposure = if exposure.is_negative() { zero } else { exposure };
    let before = book.balance(&allowance);
    let mut target = exposure.portion(rate)?;
    if let Some(least) = least.filter(|least| least.minor > target.minor) {
        target = least;
    }
    let booked = target.checked_sub(before)?;
    if booked.minor == 0 && target.minor == 0 {
        return Ok(None);
    }
    let id: ProvisionId = tx.ids.next();
    let legs = vec![Leg::debit(expense, booked), Leg::credit(allowance, booked)?];
    let draft = Draft { event: Event::LossProvided, reference: id.raw(), contract: None, actor, legs };
    let posting = if booked.minor == 0 { None } else { Some(book.post(tx, &draft)?) };
    let row = ProvisionRow {
        id: id.raw(),
        agency_id: agency.raw(),
        currency: currency.code().to_owned(),
        day,
        cause: cause.to_owned(),
        exposure_minor: exposure.minor,
        rate: rate.to_string(),
        allowance_minor: target.minor,
        booked_minor: booked.minor,
        posting_id: posting.map(Id::raw),
        created_at: tx.now.naive(),
    };
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(Some(Provision::try_from(row)?))
}

/// Of one agency, or of all; newest first.
pub fn provisions(db: &mut Db, agency: Option<AgencyId>, window: Window, limit: i64) -> Result<Vec<Provision>, DbError> {
    let mut query = windowed!(loss_provision::table.into_boxed(), loss_provision::id, window, limit);
    if let Some(agency) = agency {
        query = query.filter(loss_provision::agency_id.eq(agency.raw()));
    }
    let rows: Vec<ProvisionRow> = query.select(ProvisionRow::as_select()).load(db)?;
    rows.into_iter().map(Provision::try_from).collect()
}
