//! The allowance for what an agency is expected never to pay.

use crate::audit::Actor;
use crate::db::WriteTx;
use crate::ids::AgencyId;
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, balances, post_all};
use crate::money::Money;

/// Brings the agency's allowance up to an amount that is about to be written off. The caller holds the agency's lock.
pub fn provide(tx: &mut WriteTx, actor: Actor, agency: AgencyId, least: Money) -> Result<Money, PostError> {
    let currency = least.currency;
    let allowance = AccountKey::agency(AccountCode::PlatformCreditLossAllowance, agency, currency);
    // On its normal side: what is provided for.
    let there = balances(tx.db, std::slice::from_ref(&allowance))?.first().map_or(Money::zero(currency), |(_, balance)| *balance);
    let missing = least.checked_sub(there)?;
    if missing.minor <= 0 {
        return Ok(Money::zero(currency));
    }
    let expense = AccountKey::platform(AccountCode::PlatformCreditLossExpense, currency);
    let legs = vec![Leg::debit(expense, missing), Leg::credit(allowance, missing)?];
    let draft = Draft { event: Event::LossProvided, reference: tx.ids.block(1), contract: None, actor, legs };
    post_all(tx, &[draft])?;
    Ok(missing)
}
