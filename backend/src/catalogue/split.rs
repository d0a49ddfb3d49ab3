//! The split of a ticket's price: who gets which part of it. Calculated at pricing to check it and at sale, where it is fixed. Every leg is rounded
//! half-even to the minor unit and the airline's leg takes the remainder, so the legs always add up to the price exactly.

use crate::agencies::{CommissionBase, Contract, TaxRemitter};
use crate::money::{Money, MoneyError, Rate};
use rust_decimal::Decimal;

/// A tax or surcharge on a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    pub code: String,
    /// Who is owed it; a carrier's own surcharge (YQ) names the carrier.
    pub payee: String,
    pub amount: Money,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub price: Money,
    pub airline: Money,
    /// The taxes that the platform remits.
    pub authority: Vec<Tax>,
    pub commission: Money,
    pub fee: Money,
    /// Of the fee, what is VAT.
    pub vat: Money,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    #[error("taxes, commission and fee are {by:?} more than the price: the airline's share would be negative")]
    ExceedsFare { by: Money },
    #[error("fare, taxes and commission are not negative")]
    Negative,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Splits base fare and taxes under a contract and pays the commission that the contract itself says. `carrier` is the validating carrier, whose own
/// surcharges stay in its leg.
pub fn split(base_fare: Money, taxes: &[Tax], carrier: &str, contract: &Contract) -> Result<Split, SplitError> {
    let commission = match contract.commission_base {
        CommissionBase::Price => price(base_fare, taxes)?,
        CommissionBase::Fare => base_fare,
    }
    .portion(contract.commission_rate)?;
    split_paying(base_fare, taxes, carrier, contract, commission)
}

/// The same with a commission that rules have come to.
pub fn split_paying(
    base_fare: Money,
    taxes: &[Tax],
    carrier: &str,
    contract: &Contract,
    commission: Money,
) -> Result<Split, SplitError> {
    if base_fare.is_negative() || commission.is_negative() || taxes.iter().any(|tax| tax.amount.is_negative()) {
        return Err(SplitError::Negative);
    }
    let currency = base_fare.currency;
    let price = price(base_fare, taxes)?;
    let authority: Vec<Tax> = match contract.tax_remitter {
        TaxRemitter::Platform => taxes.iter().filter(|tax| tax.payee != carrier && tax.amount.minor > 0).cloned().collect(),
        TaxRemitter::Airline => Vec::new(),
    };
    let fee = price.portion(contract.fee_rate)?;
    let remitted = Money::sum(currency, authority.iter().map(|tax| tax.amount))?;
    let airline = price.checked_sub(remitted)?.checked_sub(commission)?.checked_sub(fee)?;
    if airline.is_negative() {
        return Err(SplitError::ExceedsFare { by: airline.checked_neg()? });
    }
    let vat = vat_in(fee, contract.costs.vat_rate)?;
    Ok(Split { price, airline, authority, commission, fee, vat })
}

/// The VAT that a fee contains: 0.30 of 5.30 at 6 %.
pub fn vat_in(fee: Money, rate: Rate) -> Result<Money, MoneyError> {
    if rate.decimal().is_zero() {
        return Ok(Money::zero(fee.currency));
    }
    let with_tax = Decimal::ONE.checked_add(rate.decimal()).ok_or(MoneyError::Overflow)?;
    let share = rate.decimal().checked_div(with_tax).ok_or(MoneyError::Overflow)?;
    fee.portion(Rate::from(share))
}

/// Base fare and taxes.
pub fn price(base_fare: Money, taxes: &[Tax]) -> Result<Money, MoneyError> {
    base_fare.checked_add(Money::sum(base_fare.currency, taxes.iter().map(|tax| tax.amount))?)
}

impl Split {
    pub fn authority_total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.price.currency, self.authority.iter().map(|tax| tax.amount))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::agencies::{AirlineReturn, Clawback, CostTerms, FeeOnRefund};
    use crate::ids::{AgencyId, ContractId, Id};
    use crate::money::Currency;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn contract(commission: Rate, base: CommissionBase, fee: Rate, tax_remitter: TaxRemitter) -> Contract {
        let date = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        Contract {
            id: ContractId::of(1),
            agency: AgencyId::of(1),
            airline: None,
            currency: Currency::CNY,
            version: 1,
            effective_from: date,
            commission_rate: commission,
            commission_base: base,
            fee_rate: fee,
            tax_remitter,
            payment_days: 7,
            payment: crate::agencies::PaymentTerms::default(),
            clawback: Clawback::Full,
            fee_on_refund: FeeOnRefund::Refunded,
            airline_return: AirlineReturn::SetOff,
            costs: CostTerms::default(),
            approval: None,
            created_at: date.and_hms_opt(0, 0, 0).unwrap(),
        }
    }

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn cn_tax() -> Tax {
        Tax { code: "CN".into(), payee: "CAAC".into(), amount: cny("50.00") }
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn the_worked_case_splits_as_the_design_says() {
        let terms = contract(rate("0.03"), CommissionBase::Price, rate("0.005"), TaxRemitter::Platform);
        let split = split(cny("950.00"), &[cn_tax()], "CA", &terms).unwrap();
        assert_eq!((split.airline, split.commission, split.fee), (cny("915.00"), cny("30.00"), cny("5.00")));
        assert_eq!(split.authority, vec![cn_tax()]);
    }

    #[test]
    fn an_airline_that_remits_its_own_taxes_gets_them_in_its_leg() {
        let terms = contract(rate("0.03"), CommissionBase::Price, rate("0.005"), TaxRemitter::Airline);
        let split = split(cny("950.00"), &[cn_tax()], "CA", &terms).unwrap();
        assert_eq!((split.airline, split.authority.len()), (cny("965.00"), 0));
    }

    #[test]
    fn a_carriers_own_surcharge_stays_in_its_leg() {
        let terms = contract(rate("0.03"), CommissionBase::Fare, rate("0"), TaxRemitter::Platform);
        let surcharge = Tax { code: "YQ".into(), payee: "CA".into(), amount: cny("20.00") };
        let split = split(cny("950.00"), &[cn_tax(), surcharge], "CA", &terms).unwrap();
        assert_eq!((split.price, split.commission, split.airline), (cny("1020.00"), cny("28.50"), cny("941.50")));
    }

    #[test]
    fn a_fee_contains_its_vat() {
        assert_eq!(vat_in(cny("5.30"), rate("0.06")), Ok(cny("0.30")));
        assert_eq!(vat_in(cny("5.00"), rate("0")), Ok(cny("0.00")));
        let mut terms = contract(rate("0.03"), CommissionBase::Price, rate("0.005"), TaxRemitter::Platform);
        terms.costs.vat_rate = rate("0.06");
        let split = split(cny("950.00"), &[cn_tax()], "CA", &terms).unwrap();
        assert_eq!((split.airline, split.fee, split.vat), (cny("915.00"), cny("5.00"), cny("0.28")));
    }

    #[test]
    fn a_split_that_would_leave_the_airline_owing_is_refused() {
        let terms = contract(rate("0.9"), CommissionBase::Price, rate("0.1"), TaxRemitter::Platform);
        assert_eq!(split(cny("50.00"), &[cn_tax()], "CA", &terms), Err(SplitError::ExceedsFare { by: cny("50.00") }));
    }

    proptest! {
        #[test]
        fn the_legs_always_add_up_to_the_price(
            base in 0i64..100_000_000_000, tax in 0i64..1_000_000, commission in 0u32..=500_000, fee in 0u32..=100_000, on_fare: bool, by_airline: bool,
            code in prop::sample::select(vec!["CNY", "JPY", "KWD", "USD"]),
        ) {
            let currency = Currency::parse(code).unwrap();
            let base_kind = if on_fare { CommissionBase::Fare } else { CommissionBase::Price };
            let remitter = if by_airline { TaxRemitter::Airline } else { TaxRemitter::Platform };
            let terms = contract(Decimal::new(commission.into(), 6).into(), base_kind, Decimal::new(fee.into(), 6).into(), remitter);
            let taxes = [Tax { code: "CN".into(), payee: "CAAC".into(), amount: Money::new(tax, currency) }];
            match split(Money::new(base, currency), &taxes, "CA", &terms) {
                Ok(split) => {
                    let legs = split.airline.minor + split.authority_total().unwrap().minor + split.commission.minor + split.fee.minor;
                    prop_assert_eq!(legs, base + tax);
                    prop_assert!(split.airline.minor >= 0);
                }
                Err(SplitError::ExceedsFare { by }) => prop_assert!(by.minor > 0),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
