//! A default: sales stop, incentives of periods that are over and commission are set off, credit of one cycle pays what is owed in another, the wallet and
//! then the cash deposit are applied, in one commit; guarantors pay (`guarantee_call`); what is left is written off against the allowance when two people
//! have agreed; what comes in afterwards is recovered; and an agency that has paid everything is reinstated when two people have agreed. The client money
//! that is freed is swept as every other (`credit::sweep`). Locks: the agency, incentive programmes, accounts.

use super::allocation::{CarryError, SettledBy, Settlement, Share, carry_credit, keep, owed_up_to};
use super::cycles::{CycleStanding, all_cycles};
use super::incentives::{SettleError, settle_agency};
use super::obligation::{ObligationError, look_again};
use super::provision::provide;
use crate::agencies::{AgencyStatus, FreezeScope, FrozenScopes, lock_agency};
use crate::audit::{Actor, Cause};
use crate::credit::score::score_agency;
use crate::credit::{Grounds, KillSwitchError, Target, lift_default, throw};
use crate::db::schema::agency_default;
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, stored_currency, update, windowed};
use crate::ids::{AgencyId, ApprovalId, DefaultId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, balance, post_all};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use crate::risk::{RiskEventKind, note_risk};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct DefaultRow in agency_default {
        id: i64,
        agency_id: i64,
        currency: String,
        reason: String,
        declared_on: NaiveDate,
        /// What was owed net of commission when it was declared.
        owed_minor: i64,
        commission_minor: i64,
        wallet_minor: i64,
        deposit_minor: i64,
        /// What guarantors paid.
        guarantee_minor: i64,
        written_off_minor: i64,
        recovered_minor: i64,
        write_off_approval_id: Option<i64>,
        reinstate_approval_id: Option<i64>,
        created_at: NaiveDateTime,
        written_off_at: Option<NaiveDateTime>,
        ended_at: Option<NaiveDateTime>,
    }
}

impl DefaultRow {
    pub fn money_currency(&self) -> Result<Currency, DbError> {
        stored_currency(&self.currency)
    }

    /// Written off and not recovered.
    pub fn lost(&self) -> Result<Money, DbError> {
        let minor = self.written_off_minor.checked_sub(self.recovered_minor);
        let minor = minor.ok_or_else(|| DbError::Corrupt(format!("default {}", self.id)))?;
        Ok(Money::new(minor, self.money_currency()?))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DefaultError {
    #[error("no such agency")]
    NoAgency,
    #[error("the agency is closed")]
    Closed,
    #[error("the agency is not in default")]
    NotInDefault,
    #[error("the agency owes nothing")]
    NothingOwed,
    #[error("{open} is left to be written off, and not {asked}")]
    OtherAmount { open: Money, asked: Money },
    #[error("{left} is not recovered yet")]
    NotRecovered { left: Money },
    #[error("{open} is still owed")]
    StillOwes { open: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ObligationError> for DefaultError {
    fn from(error: ObligationError) -> Self {
        match error {
            ObligationError::Money(error) => error.into(),
            ObligationError::Db(error) => error.into(),
        }
    }
}

impl From<CarryError> for DefaultError {
    fn from(error: CarryError) -> Self {
        match error {
            CarryError::Money(error) => error.into(),
            CarryError::Post(error) => error.into(),
            CarryError::Db(error) => error.into(),
        }
    }
}

impl From<SettleError> for DefaultError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Money(error) => error.into(),
            SettleError::Post(error) => error.into(),
            SettleError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}

impl From<KillSwitchError> for DefaultError {
    fn from(error: KillSwitchError) -> Self {
        match error {
            KillSwitchError::Db(error) => error.into(),
            KillSwitchError::NoTarget => DefaultError::NoAgency,
            _ => DefaultError::Closed,
        }
    }
}

/// What stands still of an agency in default: what would make the debt larger. It may still take tickets back.
const FROZEN: [FreezeScope; 2] = [FreezeScope::Issue, FreezeScope::Withdrawal];

/// The default that an agency is in.
pub fn default_of(db: &mut Db, agency: AgencyId) -> Result<Option<DefaultRow>, DbError> {
    let running =
        agency_default::table.filter(agency_default::agency_id.eq(agency.raw())).filter(agency_default::ended_at.is_null());
    Ok(running.order(agency_default::id.desc()).select(DefaultRow::as_select()).first(db).optional()?)
}

/// Declares a default and applies what the agency has with the platform; declared before, it applies what has come since.
pub fn declare_default(tx: &mut WriteTx, cause: &Cause, id: AgencyId, reason: &str) -> Result<DefaultRow, DefaultError> {
    let actor = cause.actor;
    let agency = lock_agency(tx, id)?.ok_or(DefaultError::NoAgency)?;
    let currency = agency.currency;
    settle_agency(tx, cause, id)?;
    let known = default_of(tx.db, id)?;
    let standings = all_cycles(tx.db, id, currency)?;
    let owed = owed_in(&standings, currency)?;
    if owed.minor <= 0 && known.is_none() {
        return Err(DefaultError::NothingOwed);
    }
    let is_new = known.is_none();
    if is_new && agency.status != AgencyStatus::Closed {
        throw(tx, cause, &Target::Agency(id, FrozenScopes::of(FROZEN)), Grounds::Default, reason)?;
    }
    let mut row = known.unwrap_or_else(|| declared(tx, id, owed, reason));
    let mut applying = Applying { actor, agency: id, currency };
    let added = |sum: i64, part: Money| sum.checked_add(part.minor).ok_or(MoneyError::Overflow);
    row.commission_minor = added(row.commission_minor, applying.net_commission(tx)?)?;
    carry_credit(tx, actor, id, currency, |_| true)?;
    row.wallet_minor = added(row.wallet_minor, applying.security(tx, SettledBy::Wallet)?)?;
    row.deposit_minor = added(row.deposit_minor, applying.security(tx, SettledBy::Deposit)?)?;
    if is_new {
        insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
        emit(tx, NewEvent::new(EventType::DefaultDeclared, DefaultId::of(row.id)).of_agency(id))?;
        note_risk(tx, id, RiskEventKind::Default, row.id)?;
    } else {
        let values = vec![row.commission_minor.into(), row.wallet_minor.into(), row.deposit_minor.into()];
        let columns = &["commission_minor", "wallet_minor", "deposit_minor"];
        update(tx, "agency_default", columns, &[Change { id: row.id, values }])?;
    }
    let cycles: Vec<_> = standings.iter().map(|one| one.cycle).collect();
    look_again(tx, id, currency, &cycles)?;
    if is_new {
        score_agency(tx, id, RiskEventKind::Default)?;
    }
    Ok(row)
}

fn declared(tx: &WriteTx, agency: AgencyId, owed: Money, reason: &str) -> DefaultRow {
    DefaultRow {
        id: tx.ids.next::<DefaultId>().raw(),
        agency_id: agency.raw(),
        currency: owed.currency.code().to_owned(),
        reason: reason.to_owned(),
        declared_on: tx.ledger_date,
        owed_minor: owed.minor,
        commission_minor: 0,
        wallet_minor: 0,
        deposit_minor: 0,
        guarantee_minor: 0,
        written_off_minor: 0,
        recovered_minor: 0,
        write_off_approval_id: None,
        reinstate_approval_id: None,
        created_at: tx.now.naive(),
        written_off_at: None,
        ended_at: None,
    }
}

/// A guarantor paid this much of what is owed. The caller holds the agency's lock and posts.
pub(super) fn note_guarantee(tx: &mut WriteTx, row: &DefaultRow, paid: Money) -> Result<(), DefaultError> {
    let sum = row.guarantee_minor.checked_add(paid.minor).ok_or(MoneyError::Overflow)?;
    update(tx, "agency_default", &["guarantee_minor"], &[Change { id: row.id, values: vec![sum.into()] }])?;
    Ok(())
}

/// Net of all cycles; a credit in one counts against what is owed in another.
fn owed_in(standings: &[CycleStanding], currency: Currency) -> Result<Money, MoneyError> {
    standings.iter().try_fold(Money::zero(currency), |sum, one| sum.checked_add(one.open_net()?))
}

struct Applying {
    actor: Actor,
    agency: AgencyId,
    currency: Currency,
}

impl Applying {
    fn account(&self, code: AccountCode) -> AccountKey {
        AccountKey::agency(code, self.agency, self.currency)
    }

    fn post(
        &self,
        tx: &mut WriteTx,
        event: Event,
        by: SettledBy,
        shares: &[Share],
        payer: Option<(AccountKey, Money)>,
    ) -> Result<PostingId, DefaultError> {
        let mut legs: Vec<Leg> = payer.into_iter().map(|(account, amount)| Leg::debit(account, amount)).collect();
        for share in shares {
            legs.extend(share.legs(self.agency)?);
        }
        let draft = Draft { event, reference: tx.ids.block(1), contract: None, actor: self.actor, legs };
        let posting = post_all(tx, &[draft])?.first().copied().ok_or(PostError::Empty)?;
        keep(tx, &Settlement { agency: self.agency, by, day: tx.ledger_date, posting, shares })?;
        Ok(posting)
    }

    /// In every cycle its own; a cycle that owes less than its commission is left with a credit.
    fn net_commission(&mut self, tx: &mut WriteTx) -> Result<Money, DefaultError> {
        let mut shares = Vec::new();
        for standing in all_cycles(tx.db, self.agency, self.currency)? {
            let commission = standing.open_commission()?;
            if commission.minor != 0 {
                shares.push(Share { cycle: standing.cycle, amount: Money::zero(self.currency), commission });
            }
        }
        if !shares.is_empty() {
            self.post(tx, Event::CommissionNetted, SettledBy::Netting, &shares, None)?;
        }
        Ok(Money::sum(self.currency, shares.iter().map(|share| share.commission))?)
    }

    /// What is owed in each cycle, oldest first, up to an amount.
    fn owed(&self, db: &mut Db, most: Money) -> Result<Vec<Share>, DefaultError> {
        Ok(owed_up_to(&all_cycles(db, self.agency, self.currency)?, most)?)
    }

    fn security(&mut self, tx: &mut WriteTx, by: SettledBy) -> Result<Money, DefaultError> {
        let (code, event) = match by {
            SettledBy::Wallet => (AccountCode::AgencyWallet, Event::WalletApplied),
            _ => (AccountCode::AgencyDeposit, Event::DepositApplied),
        };
        let there = balance(tx.db, &self.account(code))?;
        let shares = self.owed(tx.db, there)?;
        let amount = Money::sum(self.currency, shares.iter().map(|share| share.amount))?;
        if amount.minor > 0 {
            self.post(tx, event, by, &shares, Some((self.account(code), amount)))?;
        }
        Ok(amount)
    }
}

/// What is left to be written off of an agency in default.
pub fn left_to_write_off(db: &mut Db, id: AgencyId) -> Result<(DefaultRow, Money), DefaultError> {
    let row = default_of(db, id)?.ok_or(DefaultError::NotInDefault)?;
    let currency = row.money_currency()?;
    let left = owed_in(&all_cycles(db, id, currency)?, currency)?;
    Ok((row, left))
}

/// Writes off all that is left, which two people have agreed to.
pub fn write_off(
    tx: &mut WriteTx,
    actor: Actor,
    id: AgencyId,
    asked: Money,
    approval: ApprovalId,
) -> Result<DefaultRow, DefaultError> {
    lock(tx, Contended::Agency, &[id.raw()])?;
    let (mut row, open) = left_to_write_off(tx.db, id)?;
    let currency = row.money_currency()?;
    if open != asked || open.minor <= 0 {
        return Err(DefaultError::OtherAmount { open, asked });
    }
    carry_credit(tx, actor, id, currency, |_| true)?;
    let applying = Applying { actor, agency: id, currency };
    provide(tx, actor, id, asked)?;
    let shares = applying.owed(tx.db, asked)?;
    let allowance = applying.account(AccountCode::PlatformCreditLossAllowance);
    applying.post(tx, Event::DebtWrittenOff, SettledBy::WriteOff, &shares, Some((allowance, asked)))?;
    row.written_off_minor = row.written_off_minor.checked_add(asked.minor).ok_or(MoneyError::Overflow)?;
    (row.write_off_approval_id, row.written_off_at) = (Some(approval.raw()), Some(tx.now.naive()));
    let values = vec![row.written_off_minor.into(), row.write_off_approval_id.into(), row.written_off_at.into()];
    let columns = &["written_off_minor", "write_off_approval_id", "written_off_at"];
    update(tx, "agency_default", columns, &[Change { id: row.id, values }])?;
    let cycles: Vec<_> = shares.iter().map(|share| share.cycle).collect();
    look_again(tx, id, currency, &cycles)?;
    emit(tx, NewEvent::new(EventType::DefaultWrittenOff, DefaultId::of(row.id)).of_agency(id))?;
    Ok(row)
}

/// Money that came for what was written off; not more than that. The caller holds the agency's lock and posts.
pub(super) fn note_recovery(tx: &mut WriteTx, id: AgencyId, amount: Money) -> Result<(), DefaultError> {
    let row = default_of(tx.db, id)?.ok_or(DefaultError::NotInDefault)?;
    let left = row.lost()?;
    if amount.currency != left.currency || amount.minor > left.minor {
        return Err(DefaultError::NotRecovered { left });
    }
    let recovered = row.recovered_minor.checked_add(amount.minor).ok_or(MoneyError::Overflow)?;
    update(tx, "agency_default", &["recovered_minor"], &[Change { id: row.id, values: vec![recovered.into()] }])?;
    Ok(())
}

/// Whether everything is recovered and nothing is owed, charges included.
pub fn may_be_reinstated(db: &mut Db, id: AgencyId) -> Result<DefaultRow, DefaultError> {
    let (row, mut open) = left_to_write_off(db, id)?;
    let left = row.lost()?;
    if left.minor > 0 {
        return Err(DefaultError::NotRecovered { left });
    }
    let charges = AccountKey::agency(AccountCode::AgencyCharges, id, left.currency);
    open = open.checked_add(balance(db, &charges)?)?;
    if open.minor > 0 { Err(DefaultError::StillOwes { open }) } else { Ok(row) }
}

/// Ends a default that is recovered in full, which two people have agreed to: the agency sells again.
pub fn reinstate(tx: &mut WriteTx, cause: &Cause, id: AgencyId, approval: ApprovalId) -> Result<DefaultRow, DefaultError> {
    lock(tx, Contended::Agency, &[id.raw()])?;
    let mut row = may_be_reinstated(tx.db, id)?;
    (row.reinstate_approval_id, row.ended_at) = (Some(approval.raw()), Some(tx.now.naive()));
    let values = vec![row.reinstate_approval_id.into(), row.ended_at.into()];
    update(tx, "agency_default", &["reinstate_approval_id", "ended_at"], &[Change { id: row.id, values }])?;
    lift_default(tx, cause, id, approval)?;
    emit(tx, NewEvent::new(EventType::DefaultEnded, DefaultId::of(row.id)).of_agency(id))?;
    look_again(tx, id, row.money_currency()?, &[])?;
    Ok(row)
}

pub fn default_by_id(db: &mut Db, id: DefaultId) -> Result<Option<DefaultRow>, DbError> {
    Ok(agency_default::table.find(id.raw()).select(DefaultRow::as_select()).first(db).optional()?)
}

/// Of these agencies, or of all; newest first.
pub fn defaults(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<DefaultRow>, DbError> {
    let mut query = windowed!(agency_default::table.into_boxed(), agency_default::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(agency_default::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(DefaultRow::as_select()).load(db)?)
}
