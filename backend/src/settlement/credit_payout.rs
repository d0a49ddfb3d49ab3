//! Credit of a closed cycle that is paid out to the agency on request: once per bank reference, and only where nothing else is due from it.
//! Locks: the bank's reference, the agency, accounts.

use super::allocation::{SettledBy, Settlement, Share, keep};
use super::cycles::all_cycles;
use super::obligation::{ObligationError, look_again, obligations_of};
use super::recorded::Recorded;
use crate::agencies::{Agency, Cycle, FreezeScope, lock_agency};
use crate::audit::Actor;
use crate::credit::own_money_on_its_way;
use crate::db::schema::{bank_payment, credit_payout};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{AgencyId, CreditPayoutId, Id};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, Purse, balance, post_all};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct CreditPayoutRow in credit_payout {
        id: i64,
        agency_id: i64,
        currency: String,
        cycle: String,
        amount_minor: i64,
        value_date: NaiveDate,
        bank_reference: String,
        posting_id: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug)]
pub struct NewCreditPayout {
    pub agency: AgencyId,
    pub cycle: Cycle,
    pub amount: Money,
    pub value_date: NaiveDate,
    pub bank_reference: String,
}

#[derive(Debug, thiserror::Error)]
pub enum CreditPayoutError {
    #[error("a payout is more than zero")]
    NotPositive,
    #[error("no such agency")]
    NoAgency,
    #[error("withdrawals of the agency are frozen")]
    Frozen,
    #[error("the agency is in {agency}")]
    CurrencyMismatch { agency: Currency },
    #[error("cycle {0} is not billed yet")]
    NotBilled(Cycle),
    #[error("cycle {cycle} has a credit of {credit}, not more")]
    MoreThanCredit { cycle: Cycle, credit: Money },
    #[error("the agency has {owed} to pay first")]
    OwesElsewhere { owed: Money },
    #[error("the own account is short of {short}")]
    OwnCashShort { short: Money },
    #[error("the value date is after the ledger date {0}")]
    FutureValueDate(NaiveDate),
    #[error("bank reference {0} was recorded with other details")]
    ReferenceReused(String),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for CreditPayoutError {
    fn from(error: diesel::result::Error) -> Self {
        CreditPayoutError::Db(error.into())
    }
}

impl From<ObligationError> for CreditPayoutError {
    fn from(error: ObligationError) -> Self {
        match error {
            ObligationError::Money(error) => error.into(),
            ObligationError::Db(error) => error.into(),
        }
    }
}

fn credit_payout_by_reference(db: &mut Db, bank_reference: &str) -> Result<Option<CreditPayoutRow>, DbError> {
    let known = credit_payout::table.filter(credit_payout::bank_reference.eq(bank_reference));
    Ok(known.select(CreditPayoutRow::as_select()).first(db).optional()?)
}

fn is_same(known: &CreditPayoutRow, new: &NewCreditPayout) -> bool {
    known.agency_id == new.agency.raw()
        && known.cycle == new.cycle.to_string()
        && known.currency == new.amount.currency.code()
        && known.amount_minor == new.amount.minor
        && known.value_date == new.value_date
}

/// Books a payout. The same bank reference with the same content is the same payout.
pub fn pay_out_credit(
    tx: &mut WriteTx,
    actor: Actor,
    new: &NewCreditPayout,
) -> Result<Recorded<CreditPayoutRow>, CreditPayoutError> {
    if new.amount.minor <= 0 {
        return Err(CreditPayoutError::NotPositive);
    }
    if new.value_date > tx.ledger_date {
        return Err(CreditPayoutError::FutureValueDate(tx.ledger_date));
    }
    lock_word(tx, &new.bank_reference)?;
    let agency = lock_agency(tx, new.agency)?;
    if let Some(known) = credit_payout_by_reference(tx.db, &new.bank_reference)? {
        return match is_same(&known, new) {
            true => Ok(Recorded::Before(known)),
            false => Err(CreditPayoutError::ReferenceReused(known.bank_reference)),
        };
    }
    let other = bank_payment::table.filter(bank_payment::bank_reference.eq(&new.bank_reference)).count();
    if other.get_result::<i64>(&mut *tx.db)? > 0 {
        return Err(CreditPayoutError::ReferenceReused(new.bank_reference.clone()));
    }
    let share = decide(tx, &agency.ok_or(CreditPayoutError::NoAgency)?, new)?;
    let cash = AccountKey::cash(Purse::Own, new.amount.currency);
    let free = balance(tx.db, &cash)?.checked_sub(own_money_on_its_way(tx.db, new.amount.currency)?)?;
    let short = new.amount.checked_sub(free)?;
    if short.minor > 0 {
        return Err(CreditPayoutError::OwnCashShort { short });
    }
    let id: CreditPayoutId = tx.ids.next();
    let mut legs = share.legs(new.agency)?.to_vec();
    legs.push(Leg::credit(cash, new.amount)?);
    let posted = post_all(tx, &[Draft { event: Event::CreditPaidOut, reference: id.raw(), contract: None, actor, legs }])?;
    let posting = posted.first().copied().ok_or(PostError::Empty)?;
    let shares = [share];
    keep(tx, &Settlement { agency: new.agency, by: SettledBy::Payout, day: tx.ledger_date, posting, shares: &shares })?;
    let row = CreditPayoutRow {
        id: id.raw(),
        agency_id: new.agency.raw(),
        currency: new.amount.currency.code().to_owned(),
        cycle: new.cycle.to_string(),
        amount_minor: new.amount.minor,
        value_date: new.value_date,
        bank_reference: new.bank_reference.clone(),
        posting_id: posting.raw(),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    look_again(tx, new.agency, new.amount.currency, &[new.cycle])?;
    emit(tx, NewEvent::new(EventType::CreditPaidOut, id).of_agency(new.agency))?;
    Ok(Recorded::Now(row))
}

/// What leaves the cycle: it has that much credit, and no other cycle that is billed and no charge is unpaid.
fn decide(tx: &mut WriteTx, agency: &Agency, new: &NewCreditPayout) -> Result<Share, CreditPayoutError> {
    let currency = new.amount.currency;
    if agency.currency != currency {
        return Err(CreditPayoutError::CurrencyMismatch { agency: agency.currency });
    }
    if agency.frozen.has(FreezeScope::Withdrawal) {
        return Err(CreditPayoutError::Frozen);
    }
    let billed = obligations_of(tx.db, new.agency, currency)?;
    if !billed.iter().any(|one| one.cycle == new.cycle.to_string()) {
        return Err(CreditPayoutError::NotBilled(new.cycle));
    }
    let standings = all_cycles(tx.db, new.agency, currency)?;
    let mut owed = Money::zero(currency);
    for standing in standings.iter().filter(|one| billed.iter().any(|row| row.cycle == one.cycle.to_string())) {
        let open = standing.open_net()?;
        if open.minor > 0 {
            owed = owed.checked_add(open)?;
        }
    }
    let charges = AccountKey::agency(AccountCode::AgencyCharges, new.agency, currency);
    owed = owed.checked_add(balance(tx.db, &charges)?)?;
    let standing = standings.iter().find(|one| one.cycle == new.cycle).ok_or(CreditPayoutError::NotBilled(new.cycle))?;
    let credit = standing.open_net()?.checked_neg()?;
    if new.amount.minor > credit.minor {
        let credit = Money::new(credit.minor.max(0), currency);
        return Err(CreditPayoutError::MoreThanCredit { cycle: new.cycle, credit });
    }
    if owed.minor > 0 {
        return Err(CreditPayoutError::OwesElsewhere { owed });
    }
    Ok(Share::of(standing, new.amount.checked_neg()?)?)
}

/// Of these agencies, or of all; newest first.
pub fn credit_payouts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<CreditPayoutRow>, DbError> {
    let mut query = windowed!(credit_payout::table.into_boxed(), credit_payout::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(credit_payout::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(CreditPayoutRow::as_select()).load(db)?)
}
