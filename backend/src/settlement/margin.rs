//! Who pays for time: what a ticket on a contract's terms leaves the platform, term by term, when the agency remits as late as it may. A contract whose
//! ticket loses money is not signed, unless two people agree to it.

use super::incentives::highest_platform_incentive;
use crate::agencies::{
    AirlinePayment, CommissionBase, Contract, ContractError, NewContract, TaxRemitter, TenderOrder, agency, check_terms,
    sign_approved, sign_contract,
};
use crate::catalogue::split::vat_in;
use crate::credit::{Facility, facilities, gate};
use crate::db::{DbError, WriteTx};
use crate::ids::{ApprovalId, FacilityId, Id};
use crate::money::{Currency, Money, MoneyError, Rate, divide_half_even};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What the margin is calculated on, in minor units: 1000.00 CNY, of which 50.00 are taxes for an authority.
const PRICE_MINOR: i64 = 100_000;
const TAX_MINOR: i64 = 5_000;
/// Of the financing rate of an agency.
const YEAR_DAYS: i128 = 360;

/// What a ticket leaves; every term is positive, and `total` is the first two less the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Margin {
    /// Of the ticket that is calculated.
    pub price: Money,
    /// From the draw until the agency has remitted.
    pub days: i64,
    /// The line that a sale would be held on today, and its rate per year in units of 1e-8; `None` where nothing is drawn.
    pub line: Option<(FacilityId, i64)>,
    pub fee: Money,
    pub financing: Money,
    pub interest: Money,
    pub channel_cost: Money,
    pub incentive: Money,
    pub vat: Money,
    pub expected_loss: Money,
    pub total: Money,
}

impl Margin {
    /// In words, for whoever is refused.
    pub fn computation(&self) -> String {
        let Margin { price, days, fee, financing, interest, channel_cost, incentive, vat, expected_loss, total, .. } = self;
        format!(
            "of a ticket of {price} after {days} days: fee {fee} + financing {financing} - interest {interest} - channel cost {channel_cost} \
             - incentive {incentive} - VAT {vat} - expected loss {expected_loss} = {total}"
        )
    }
}

/// What drawing costs: per year in units of 1e-8, and the days of that year.
#[derive(Clone, Copy, Debug)]
struct Price {
    line: FacilityId,
    rate_e8: i64,
    year: i128,
}

/// An amount for so many days at a rate per year.
fn for_days(amount: Money, rate_e8: i64, days: i64, year: i128) -> Result<Money, MoneyError> {
    let scaled = i128::from(amount.minor).checked_mul(i128::from(rate_e8)).and_then(|one| one.checked_mul(i128::from(days)));
    let divisor = year.checked_mul(100_000_000).ok_or(MoneyError::Overflow)?;
    let minor = scaled.and_then(|scaled| divide_half_even(scaled, divisor)).and_then(|minor| i64::try_from(minor).ok());
    Ok(Money::new(minor.ok_or(MoneyError::Overflow)?, amount.currency))
}

fn e8(rate: Rate) -> i64 {
    let scaled = rate.decimal().checked_mul(Decimal::from(100_000_000)).unwrap_or_default();
    scaled.round().to_i64().unwrap_or(i64::MAX)
}

/// Pure: of the worked ticket, after so many days, on a line at this price, with this much incentive.
fn margin(terms: &NewContract, days: i64, line: Option<Price>, incentive: Money) -> Result<Margin, MoneyError> {
    let money = |minor| Money::new(minor, terms.currency);
    let (price, tax, costs) = (money(PRICE_MINOR), money(TAX_MINOR), &terms.costs);
    let base = price.checked_sub(tax)?;
    let commission = match terms.commission_base {
        CommissionBase::Price => price,
        CommissionBase::Fare => base,
    }
    .portion(terms.commission_rate)?;
    let fee = price.portion(terms.fee_rate)?;
    let remitted = match terms.tax_remitter {
        TaxRemitter::Platform => tax,
        TaxRemitter::Airline => money(0),
    };
    let airline = price.checked_sub(remitted)?.checked_sub(commission)?.checked_sub(fee)?;
    let owed = price.checked_sub(commission)?;
    // A wallet pays at once: no time passes, and nothing is lost.
    let on_credit = line.is_some();
    let financed_days = if on_credit { (terms.payment_days - costs.free_days).clamp(0, days) } else { 0 };
    // Paid later, the airline is paid with own money.
    let line = line.filter(|_| terms.payment.airline == AirlinePayment::Instant);
    let interest = match line {
        Some(line) => for_days(airline, line.rate_e8, days, line.year)?,
        None => money(0),
    };
    let financing = for_days(owed, e8(costs.financing_rate), financed_days, YEAR_DAYS)?;
    let expected_loss = if on_credit { owed.portion(costs.expected_loss_rate)? } else { money(0) };
    let (channel_cost, vat) = (price.portion(costs.channel_cost_rate)?, vat_in(fee, costs.vat_rate)?);
    let mut total = fee.checked_add(financing)?;
    for cost in [interest, channel_cost, incentive, vat, expected_loss] {
        total = total.checked_sub(cost)?;
    }
    let line = line.map(|line| (line.line, line.rate_e8));
    Ok(Margin { price, days, line, fee, financing, interest, channel_cost, incentive, vat, expected_loss, total })
}

#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("a ticket on these terms loses money: {}", .0.computation())]
    NegativeMargin(Box<Margin>),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Whether a negative margin stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody has been asked.
    None,
    /// Two people know of it.
    Approved(ApprovalId),
}

/// What a ticket on these terms leaves at the length of the contract's own cycle.
pub fn margin_of(tx: &mut WriteTx, terms: &NewContract) -> Result<Margin, SigningError> {
    check_terms(terms)?;
    let seller = agency(tx.db, terms.agency)?;
    let from_wallet = seller.as_ref().is_some_and(|agency| agency.tender_order == TenderOrder::WalletOnly);
    let line = if from_wallet { None } else { cheapest_line(tx, terms.currency)? };
    let tier = seller.map(|agency| agency.tier);
    let base = Money::new(PRICE_MINOR - TAX_MINOR, terms.currency);
    let incentive = highest_platform_incentive(tx.db, terms.agency, tier.as_ref(), terms.airline, base, tx.ledger_date)?;
    // A ticket of a cycle's first day is owed for all of its days, and then for the payment days.
    Ok(margin(terms, i64::from(terms.payment.cycle_rule.most_days()) + terms.payment_days, line, incentive)?)
}

/// The line that a sale would be held on today, if it had room.
fn cheapest_line(tx: &mut WriteTx, currency: Currency) -> Result<Option<Price>, DbError> {
    let now = tx.now;
    let lines = facilities(tx.db, tx.ledger_date)?;
    let open = lines.iter().filter(|state| state.facility.limit.currency == currency && gate(state, 0, now).is_ok());
    let all = lines.iter().filter(|state| state.facility.limit.currency == currency);
    let price = |line: &Facility| Some(Price { line: line.id, rate_e8: line.rate_e8()?, year: line.day_count_base() });
    let least = |state: &&crate::credit::FacilityState| (state.facility.cost(), state.facility.id);
    let chosen = open.min_by_key(least).or_else(|| all.min_by_key(least));
    Ok(chosen.and_then(|state| price(&state.facility)))
}

/// Signs the next version of a contract, if a ticket on it earns something or two people agree that it does not.
pub fn sign(tx: &mut WriteTx, terms: &NewContract, consent: Consent) -> Result<Contract, SigningError> {
    let margin = margin_of(tx, terms)?;
    match consent {
        Consent::Approved(approval) => Ok(sign_approved(tx, terms, approval.raw())?),
        Consent::None if margin.total.is_negative() => Err(SigningError::NegativeMargin(Box::new(margin))),
        Consent::None => Ok(sign_contract(tx, terms)?),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::agencies::{AirlineReturn, Clawback, CostTerms, FeeOnRefund, PaymentTerms};
    use crate::ids::AgencyId;
    use chrono::NaiveDate;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    fn worked() -> NewContract {
        NewContract {
            agency: AgencyId::of(1),
            airline: None,
            currency: Currency::CNY,
            effective_from: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
            commission_rate: rate("0.03"),
            commission_base: CommissionBase::Price,
            fee_rate: rate("0.005"),
            tax_remitter: TaxRemitter::Platform,
            payment_days: 17,
            clawback: Clawback::Full,
            fee_on_refund: FeeOnRefund::Refunded,
            airline_return: AirlineReturn::SetOff,
            costs: CostTerms::default(),
            payment: PaymentTerms::default(),
        }
    }

    fn six_per_cent() -> Option<Price> {
        Some(Price { line: FacilityId::of(1), rate_e8: 6_000_000, year: 360 })
    }

    fn after(terms: &NewContract, days: i64) -> Margin {
        margin(terms, days, six_per_cent(), Money::zero(Currency::CNY)).unwrap()
    }

    #[test]
    fn the_worked_ticket_earns_3_93_in_7_days_0_42_in_30_and_loses_0_03_in_33() {
        for (days, expected) in [(7, "3.93"), (30, "0.42"), (33, "-0.03")] {
            assert_eq!(after(&worked(), days).total.to_string(), expected, "{days} days");
        }
        let refused = after(&worked(), 33).computation();
        assert!(refused.contains("fee 5.00 + financing 0.00 - interest 5.03"), "{refused}");
    }

    #[test]
    fn every_cost_is_a_term() {
        let mut terms = worked();
        terms.costs = CostTerms {
            free_days: 7,
            financing_rate: rate("0.072"),
            vat_rate: rate("0.06"),
            expected_loss_rate: rate("0.001"),
            channel_cost_rate: rate("0.0002"),
            ..CostTerms::default()
        };
        let margin = margin(&terms, 33, six_per_cent(), Money::new(100, Currency::CNY)).unwrap();
        // 970.00 x 7.2 % x 10 / 360, and 5.00 x 6 / 106.
        assert_eq!((margin.financing.minor, margin.vat.minor, margin.expected_loss.minor), (194, 28, 97));
        assert_eq!((margin.channel_cost.minor, margin.incentive.minor, margin.interest.minor), (20, 100, 503));
        assert_eq!(margin.total.minor, 500 + 194 - 503 - 20 - 100 - 28 - 97);
    }

    #[test]
    fn a_wallet_costs_no_time() {
        let margin = margin(&worked(), 33, None, Money::zero(Currency::CNY)).unwrap();
        assert_eq!((margin.total.minor, margin.interest.minor), (500, 0));
    }
}
