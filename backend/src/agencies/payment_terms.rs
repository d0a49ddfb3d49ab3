//! When an agency pays, and what being late costs it: a part of its contracts.

use super::CycleRule;
use crate::money::{Currency, Money, Rate};

/// What becomes of a due date that is not worked in the agency's country.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DueRule {
    #[default]
    Unmoved,
    NextWorkingDay,
    PreviousWorkingDay,
}

impl DueRule {
    pub fn text(self) -> &'static str {
        match self {
            DueRule::Unmoved => "unmoved",
            DueRule::NextWorkingDay => "next_working_day",
            DueRule::PreviousWorkingDay => "previous_working_day",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [DueRule::Unmoved, DueRule::NextWorkingDay, DueRule::PreviousWorkingDay].into_iter().find(|rule| rule.text() == text)
    }
}

/// The default is what every contract had before these could be chosen: half-monthly, due when it is due, and nothing for being late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    pub cycle_rule: CycleRule,
    pub due_rule: DueRule,
    /// Once per cycle that is not paid when it is due.
    pub late_fee_minor: i64,
    /// A year's rate (ACT/360) on what is not paid.
    pub financing_rate: Rate,
    /// Days after the due date before financing is charged.
    pub free_days: i64,
}

impl Default for PaymentTerms {
    fn default() -> Self {
        PaymentTerms {
            cycle_rule: CycleRule::default(),
            due_rule: DueRule::default(),
            late_fee_minor: 0,
            financing_rate: Rate::from(rust_decimal::Decimal::ZERO),
            free_days: 0,
        }
    }
}

impl PaymentTerms {
    pub fn late_fee(&self, currency: Currency) -> Money {
        Money::new(self.late_fee_minor, currency)
    }

    /// The rate in units of 1e-8, as exact sums are kept; `None` beyond what those can say.
    pub fn rate_e8(&self) -> Option<i64> {
        let scaled = self.financing_rate.decimal().checked_mul(rust_decimal::Decimal::from(100_000_000i64))?;
        if scaled.fract().is_zero() { i64::try_from(scaled).ok() } else { None }
    }
}
