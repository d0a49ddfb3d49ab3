//! What the coupons of a ticket earn. Exact amounts are added up and rounded half-even once per ticket: the k-th coupon's part is the difference of the
//! rounded cumulative sums k and k-1, so that the parts add up to the rounded whole whatever mixture of rules they come from.

use super::book::RulesInForce;
use super::matching::{SaleFacts, SegmentFacts};
use super::rule::{CommissionRule, Payout};
use crate::agencies::{CommissionBase, Contract};
use crate::ids::CommissionRuleId;
use crate::money::{Money, MoneyError};
use rust_decimal::Decimal;

/// A coupon's part of the fare, and what is paid for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarningPart {
    pub fare: Money,
    pub payout: Payout,
}

/// What one coupon earns and how that came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earning {
    /// What the rate is applied to: the coupon's part of the fare or of the price.
    pub on: Money,
    /// In minor units, before rounding.
    pub exact: Decimal,
    pub amount: Money,
}

/// `rule` is `None` where the contract's own rate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponEarning {
    pub rule: Option<CommissionRuleId>,
    pub amount: Money,
}

impl Contract {
    /// What holds where no rule does.
    pub fn commission(&self) -> Payout {
        Payout::Share { of: self.commission_base, rate: self.commission_rate }
    }
}

/// The parts of a ticket of this price, in the order of its coupons. Taxes are distributed over the coupons by fare.
pub fn earnings(price: Money, parts: &[EarningPart]) -> Result<Vec<Earning>, MoneyError> {
    let prices = price_shares(price, parts)?;
    let mut earned = Vec::with_capacity(parts.len());
    for (part, of_price) in parts.iter().zip(prices) {
        let (on, exact) = match part.payout {
            Payout::Share { of: CommissionBase::Fare, rate } => (part.fare, part.fare.exact_portion(rate)?),
            Payout::Share { of: CommissionBase::Price, rate } => (of_price, of_price.exact_portion(rate)?),
            Payout::PerSegment(amount) => (part.fare, Decimal::from(amount.minor)),
            Payout::Zero => (part.fare, Decimal::ZERO),
        };
        earned.push((on, exact));
    }
    let exact: Vec<Decimal> = earned.iter().map(|(_, exact)| *exact).collect();
    let amounts = Money::round_cumulatively(price.currency, &exact)?;
    Ok(earned.into_iter().zip(amounts).map(|((on, exact), amount)| Earning { on, exact, amount }).collect())
}

fn price_shares(price: Money, parts: &[EarningPart]) -> Result<Vec<Money>, MoneyError> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let weights: Vec<u64> = parts.iter().map(|part| u64::try_from(part.fare.minor).unwrap_or(0)).collect();
    // Without any fare the taxes belong to all coupons alike.
    if weights.iter().all(|weight| *weight == 0) { price.allocate(&vec![1; parts.len()]) } else { price.allocate(&weights) }
}

/// The rule that holds for a coupon.
pub(super) fn winner<'r>(rules: &RulesInForce<'r>, sale: &SaleFacts, segment: &SegmentFacts) -> Option<&'r CommissionRule> {
    rules.iter().find(|version| version.rule.fails(sale, segment).is_none())
}

/// What a passenger's coupons earn under the rules in force, or else under the contract.
pub fn earn(
    rules: &RulesInForce<'_>,
    contract: &Contract,
    sale: &SaleFacts,
    price: Money,
    coupons: &[(SegmentFacts, Money)],
) -> Result<Vec<CouponEarning>, MoneyError> {
    let won: Vec<Option<&CommissionRule>> = coupons.iter().map(|(segment, _)| winner(rules, sale, segment)).collect();
    let parts: Vec<EarningPart> = coupons
        .iter()
        .zip(&won)
        .map(|((_, fare), rule)| {
            let payout = rule.and_then(|version| version.rule.payout).unwrap_or_else(|| contract.commission());
            EarningPart { fare: *fare, payout }
        })
        .collect();
    let amounts = earnings(price, &parts)?;
    let earning = |(rule, earned): (Option<&CommissionRule>, Earning)| CouponEarning {
        rule: rule.map(|version| version.id),
        amount: earned.amount,
    };
    Ok(won.into_iter().zip(amounts).map(earning).collect())
}
