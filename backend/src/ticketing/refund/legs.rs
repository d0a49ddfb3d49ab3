//! The legs of a refund: pure, from what was sold, what of it comes back and what the contract of the sale says.
//!
//! A ticket is cut into shares per coupon, fixed by its sale: coupons and taxes have their own amounts, commission and fee are prorated over what each
//! coupon leaves the airline before them, so no share is negative and the shares of all coupons are the ticket exactly, in whatever order they come back.
//!
//! The agency is credited R = fare + taxes - penalty. Authorities give back their taxes, the agency its commission and the platform its fee by the
//! contract's rules; the airline gives back the rest. It never gives back less than nothing: where the penalty leaves too little, less commission and then
//! less of the fee comes back, none at all where no fare does.

use crate::agencies::{Clawback, Contract, FeeOnRefund, TaxRemitter};
use crate::catalogue::split::Tax;
use crate::catalogue::taxes::RefundRule;
use crate::money::{Money, MoneyError, divide_half_even};

/// A tax of a coupon, who pays it over to its payee, and when it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldTax {
    pub tax: Tax,
    pub remitter: TaxRemitter,
    pub rule: RefundRule,
}

/// A coupon as it was sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldCoupon {
    pub number: i64,
    pub base: Money,
    pub taxes: Vec<SoldTax>,
}

/// A coupon with its shares of the legs that were fixed for the whole ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponShare {
    pub number: i64,
    pub base: Money,
    pub taxes: Vec<SoldTax>,
    pub commission: Money,
    pub fee: Money,
}

/// What comes back of one ticket, before the rules of its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Of the refunded coupons.
    pub fare: Money,
    /// Of the fare, what is kept.
    pub penalty: Money,
    pub taxes: Vec<SoldTax>,
    /// The refunded coupons' shares.
    pub commission: Money,
    pub fee: Money,
}

/// How a contract treats commission and fee of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundTerms {
    pub clawback: Clawback,
    pub fee: FeeOnRefund,
}

/// Who gives back how much. `refund` is the sum of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLegs {
    /// R: what the agency is credited.
    pub refund: Money,
    pub airline: Money,
    pub authority: Vec<Tax>,
    pub commission: Money,
    pub fee: Money,
}

impl RefundTerms {
    pub fn of(contract: &Contract) -> Self {
        RefundTerms { clawback: contract.clawback, fee: contract.fee_on_refund }
    }
}

/// Cuts a ticket into the shares of its coupons.
pub fn coupon_shares(coupons: &[SoldCoupon], commission: Money, fee: Money) -> Result<Vec<CouponShare>, MoneyError> {
    let mut weights = Vec::with_capacity(coupons.len());
    for coupon in coupons {
        let own = coupon.taxes.iter().filter(|one| one.remitter == TaxRemitter::Airline).map(|one| one.tax.amount);
        let left = coupon.base.checked_add(Money::sum(coupon.base.currency, own)?)?;
        weights.push(u64::try_from(left.minor).map_err(|_| MoneyError::Overflow)?);
    }
    // Both together first: what a coupon leaves is never less than the share of their sum, nor that less than the share of the fee.
    let both = allocate(commission.checked_add(fee)?, &weights)?;
    let sums: Vec<u64> =
        both.iter().map(|sum| u64::try_from(sum.minor)).collect::<Result<_, _>>().map_err(|_| MoneyError::Overflow)?;
    let fees = allocate(fee, &sums)?;
    let shares = coupons.iter().zip(both.into_iter().zip(fees));
    shares
        .map(|(coupon, (both, fee))| {
            let SoldCoupon { number, base, taxes } = coupon.clone();
            Ok(CouponShare { number, base, taxes, commission: both.checked_sub(fee)?, fee })
        })
        .collect()
}

/// Nothing is spread over nothing: a split whose coupons leave nothing has neither commission nor fee.
fn allocate(amount: Money, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
    if amount.minor == 0 { Ok(vec![amount; weights.len()]) } else { amount.allocate(weights) }
}

impl Returned {
    /// These coupons, with the taxes of theirs that come back.
    pub fn of(coupons: &[CouponShare], penalty: Money, comes_back: impl Fn(&SoldTax) -> bool) -> Result<Self, MoneyError> {
        let sum = |of: fn(&CouponShare) -> Money| Money::sum(penalty.currency, coupons.iter().map(of));
        Ok(Returned {
            fare: sum(|coupon| coupon.base)?,
            penalty,
            taxes: coupons.iter().flat_map(|coupon| &coupon.taxes).filter(|tax| comes_back(tax)).cloned().collect(),
            commission: sum(|coupon| coupon.commission)?,
            fee: sum(|coupon| coupon.fee)?,
        })
    }

    /// R: the price of what comes back less the penalty.
    pub fn refund(&self) -> Result<Money, MoneyError> {
        let taxes = Money::sum(self.fare.currency, self.taxes.iter().map(|one| one.tax.amount))?;
        self.fare.checked_sub(self.penalty)?.checked_add(taxes)
    }
}

/// The legs of a first refund of these coupons.
pub fn refund_legs(returned: &Returned, terms: RefundTerms) -> Result<RefundLegs, MoneyError> {
    let refund = returned.refund()?;
    let mut authority: Vec<Tax> = Vec::new();
    for one in returned.taxes.iter().filter(|one| one.remitter == TaxRemitter::Platform) {
        match authority.iter_mut().find(|known| known.code == one.tax.code && known.payee == one.tax.payee) {
            Some(known) => known.amount = known.amount.checked_add(one.tax.amount)?,
            None => authority.push(one.tax.clone()),
        }
    }
    let remitted = Money::sum(refund.currency, authority.iter().map(|tax| tax.amount))?;
    let (commission, fee, airline) = taken_from(returned, terms, refund.checked_sub(remitted)?)?;
    Ok(RefundLegs { refund, airline, authority, commission, fee })
}

/// The legs of an amount that comes back later for coupons refunded before, as a lower penalty: what the rules take at the lower penalty, less what was
/// taken before.
pub fn supplement_legs(
    before: &Returned,
    taken: &RefundLegs,
    terms: RefundTerms,
    amount: Money,
) -> Result<RefundLegs, MoneyError> {
    let after = Returned { penalty: before.penalty.checked_sub(amount)?, ..before.clone() };
    let due = refund_legs(&after, terms)?;
    let more = |due: Money, taken: Money, room: Money| {
        Ok(Money::new((due.checked_sub(taken)?).minor.clamp(0, room.minor), room.currency))
    };
    let commission: Money = more(due.commission, taken.commission, amount)?;
    let room = amount.checked_sub(commission)?;
    let fee: Money = more(due.fee, taken.fee, room)?;
    Ok(RefundLegs { refund: amount, airline: room.checked_sub(fee)?, authority: Vec::new(), commission, fee })
}

/// Commission, fee and the airline's part of what authorities do not give back.
fn taken_from(returned: &Returned, terms: RefundTerms, room: Money) -> Result<(Money, Money, Money), MoneyError> {
    let least = |amount: Money, room: Money| if amount.minor <= room.minor { amount } else { room };
    let given = returned.fare.checked_sub(returned.penalty)?;
    let zero = Money::zero(room.currency);
    // A fare that is kept whole is still sold: its commission and fee are earned.
    let forfeited = given.minor == 0 && returned.fare.minor > 0;
    let clawback = match terms.clawback {
        _ if forfeited => zero,
        Clawback::Full => returned.commission,
        Clawback::ProRata => pro_rata(returned.commission, given, returned.fare)?,
        Clawback::None => zero,
    };
    let fee = if forfeited || terms.fee == FeeOnRefund::Kept { zero } else { returned.fee };
    let commission = least(clawback, room);
    let room = room.checked_sub(commission)?;
    let fee = least(fee, room);
    Ok((commission, fee, room.checked_sub(fee)?))
}

/// Commission x (fare - penalty) / fare, rounded half to even; all of it where there was no fare.
fn pro_rata(commission: Money, given: Money, fare: Money) -> Result<Money, MoneyError> {
    if fare.minor == 0 {
        return Ok(commission);
    }
    let product = i128::from(commission.minor).checked_mul(i128::from(given.minor)).ok_or(MoneyError::Overflow)?;
    let share = divide_half_even(product, i128::from(fare.minor)).ok_or(MoneyError::Overflow)?;
    Ok(Money::new(i64::try_from(share).map_err(|_| MoneyError::Overflow)?, commission.currency))
}

#[cfg(test)]
mod tests;
