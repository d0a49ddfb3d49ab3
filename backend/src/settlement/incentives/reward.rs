//! What a period's sales earn under the tiers of a programme: pure. At every moment what is accrued is the reward of what was sold until then, rounded
//! half-even once; so the order of the sales never matters for the sum, and a period that is calculated again from its tickets gives the same.

use super::programme::{Method, Tier};
use crate::money::{Money, MoneyError, divide_half_even};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// One period of one agency: sales net of voids and refunds (fare in minor units, or tickets), and what is accrued for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub measured: i64,
    pub accrued: Money,
}

/// What one ticket changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The ticket's own amount: at the rate reached before it, or what it was accrued with taken back.
    pub own: Money,
    /// What other tickets of the period gain or lose because a tier was reached or lost.
    pub true_up: Money,
    pub after: Progress,
}

/// The reward per unit that holds from this much on; below the first tier there is none.
fn rate_at(tiers: &[Tier], measured: i64) -> Decimal {
    tiers.iter().rev().find(|tier| tier.from <= measured).map_or(Decimal::ZERO, |tier| tier.per_unit)
}

/// In minor units, exact. `tiers` are in the order of their thresholds.
pub fn exact_reward(tiers: &[Tier], method: Method, measured: i64) -> Result<Decimal, MoneyError> {
    let measured = measured.max(0);
    let times = |units: i64, rate: Decimal| Decimal::from(units).checked_mul(rate).ok_or(MoneyError::Overflow);
    match method {
        Method::RetroactiveToFirst => times(measured, rate_at(tiers, measured)),
        Method::Incremental => {
            let mut sum = Decimal::ZERO;
            for (place, tier) in tiers.iter().enumerate() {
                let until = tiers.get(place.saturating_add(1)).map_or(i64::MAX, |next| next.from).min(measured);
                let within = until.saturating_sub(tier.from).max(0);
                sum = sum.checked_add(times(within, tier.per_unit)?).ok_or(MoneyError::Overflow)?;
            }
            Ok(sum)
        }
    }
}

fn rounded(exact: Decimal) -> Result<i64, MoneyError> {
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_i64().ok_or(MoneyError::Overflow)
}

/// The reward of a period.
pub fn reward(tiers: &[Tier], method: Method, progress: &Progress) -> Result<Money, MoneyError> {
    let minor = rounded(exact_reward(tiers, method, progress.measured)?)?;
    Ok(Money { minor, ..progress.accrued })
}

/// A ticket of this size is sold.
pub fn sold(tiers: &[Tier], method: Method, before: Progress, size: i64) -> Result<Step, MoneyError> {
    let measured = before.measured.checked_add(size).ok_or(MoneyError::Overflow)?;
    let at_rate_reached = match method {
        Method::Incremental => exact_reward(tiers, method, measured)?,
        Method::RetroactiveToFirst => {
            let rate = rate_at(tiers, before.measured.max(0));
            Decimal::from(measured.max(0)).checked_mul(rate).ok_or(MoneyError::Overflow)?
        }
    };
    let own = Money { minor: rounded(at_rate_reached)?, ..before.accrued }.checked_sub(before.accrued)?;
    settled(tiers, method, before, measured, own)
}

/// A ticket, or a part of one, of this size is taken back, which was accrued with `own`.
pub fn taken_back(tiers: &[Tier], method: Method, before: Progress, size: i64, own: Money) -> Result<Step, MoneyError> {
    let measured = before.measured.checked_sub(size).ok_or(MoneyError::Overflow)?;
    settled(tiers, method, before, measured, own.checked_neg()?)
}

fn settled(tiers: &[Tier], method: Method, before: Progress, measured: i64, own: Money) -> Result<Step, MoneyError> {
    let accrued = reward(tiers, method, &Progress { measured, ..before })?;
    let true_up = accrued.checked_sub(before.accrued)?.checked_sub(own)?;
    Ok(Step { own, true_up, after: Progress { measured, accrued } })
}

/// What belongs to a part of a ticket, rounded half-even.
pub fn part_of(own: Money, part: i64, whole: i64) -> Result<Money, MoneyError> {
    if whole == 0 {
        return Ok(own);
    }
    let product = i128::from(own.minor).checked_mul(i128::from(part)).ok_or(MoneyError::Overflow)?;
    let minor = divide_half_even(product, i128::from(whole)).ok_or(MoneyError::Overflow)?;
    Ok(Money { minor: i64::try_from(minor).map_err(|_| MoneyError::Overflow)?, ..own })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn tier(from: i64, per_unit: &str) -> Tier {
        Tier { from, per_unit: per_unit.parse().unwrap() }
    }

    /// 1 % from the first fen, 2 % from 10,000.00 on.
    fn two_tiers() -> Vec<Tier> {
        vec![tier(0, "0.01"), tier(1_000_000, "0.02")]
    }

    const NOTHING: Progress = Progress { measured: 0, accrued: Money::zero(Currency::CNY) };

    #[test]
    fn a_tier_that_is_reached_counts_from_the_first_ticket_or_from_there_on() {
        let tiers = two_tiers();
        let first = sold(&tiers, Method::RetroactiveToFirst, NOTHING, 600_000).unwrap();
        assert_eq!((first.own, first.true_up), (cny(6_000), cny(0)));
        let second = sold(&tiers, Method::RetroactiveToFirst, first.after, 600_000).unwrap();
        assert_eq!((second.own, second.true_up, second.after.accrued), (cny(6_000), cny(12_000), cny(24_000)));
        let third = sold(&tiers, Method::RetroactiveToFirst, second.after, 100_000).unwrap();
        assert_eq!((third.own, third.true_up), (cny(2_000), cny(0)));

        let first = sold(&tiers, Method::Incremental, NOTHING, 600_000).unwrap();
        let second = sold(&tiers, Method::Incremental, first.after, 600_000).unwrap();
        assert_eq!((second.own, second.true_up, second.after.accrued), (cny(8_000), cny(0), cny(14_000)));
    }

    #[test]
    fn a_void_takes_back_its_own_accrual_and_a_tier_that_is_lost() {
        let tiers = two_tiers();
        let first = sold(&tiers, Method::RetroactiveToFirst, NOTHING, 600_000).unwrap();
        let second = sold(&tiers, Method::RetroactiveToFirst, first.after, 600_000).unwrap();
        let void = taken_back(&tiers, Method::RetroactiveToFirst, second.after, 600_000, second.own).unwrap();
        assert_eq!((void.own, void.true_up, void.after), (cny(-6_000), cny(-12_000), first.after));
        let incremental = sold(&tiers, Method::Incremental, NOTHING, 600_000).unwrap();
        let more = sold(&tiers, Method::Incremental, incremental.after, 600_000).unwrap();
        let void = taken_back(&tiers, Method::Incremental, more.after, 600_000, incremental.own).unwrap();
        assert_eq!((void.own, void.true_up, void.after.accrued), (cny(-6_000), cny(-2_000), cny(6_000)));
    }

    #[test]
    fn below_nothing_there_is_nothing() {
        let void = taken_back(&two_tiers(), Method::Incremental, NOTHING, 600_000, cny(0)).unwrap();
        assert_eq!((void.after.measured, void.after.accrued), (-600_000, cny(0)));
        let sale = sold(&two_tiers(), Method::Incremental, void.after, 700_000).unwrap();
        assert_eq!(sale.after.accrued, cny(1_000));
    }

    fn any_tiers() -> impl Strategy<Value = Vec<Tier>> {
        prop::collection::btree_map(0i64..3_000_000, 0u32..50_000, 0..5).prop_map(|tiers| {
            tiers.into_iter().map(|(from, millionths)| Tier { from, per_unit: Decimal::new(millionths.into(), 6) }).collect()
        })
    }

    proptest! {
        #[test]
        fn whatever_is_sold_and_voided_the_lines_add_up_to_the_reward_of_what_is_left(
            tiers in any_tiers(), retroactive: bool, sales in prop::collection::vec((1i64..500_000, any::<bool>()), 0..30), seed in any::<u64>(),
        ) {
            let method = if retroactive { Method::RetroactiveToFirst } else { Method::Incremental };
            let (mut progress, mut sum, mut open) = (NOTHING, 0i64, Vec::new());
            for (place, (size, void)) in sales.iter().enumerate() {
                if *void && !open.is_empty() {
                    let at = usize::try_from(seed.rotate_left(u32::try_from(place).unwrap()) % u64::try_from(open.len()).unwrap()).unwrap();
                    let (size, own) = open.swap_remove(at);
                    let step = taken_back(&tiers, method, progress, size, own).unwrap();
                    prop_assert_eq!(step.own, own.checked_neg().unwrap());
                    sum += step.own.minor + step.true_up.minor;
                    progress = step.after;
                }
                let step = sold(&tiers, method, progress, *size).unwrap();
                open.push((*size, step.own));
                prop_assert!(method == Method::RetroactiveToFirst || step.true_up.minor == 0);
                sum += step.own.minor + step.true_up.minor;
                progress = step.after;
                let left: i64 = open.iter().map(|(size, _)| size).sum();
                prop_assert_eq!(progress.measured, left);
                prop_assert_eq!(progress.accrued.minor, sum);
                prop_assert_eq!(reward(&tiers, method, &Progress { measured: left, ..NOTHING }).unwrap(), progress.accrued);
                prop_assert!(progress.accrued.minor >= 0);
            }
        }
    }
}
