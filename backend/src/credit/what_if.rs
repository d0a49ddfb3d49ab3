//! What would change a limit, and by how much: for showing, never for deciding.

use super::derivation::AgencyLimit;
use super::limit_terms::{Bound, LimitTerm, TermKind};
use crate::money::{Money, MoneyError};
use chrono::NaiveDate;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// What would be added; each of them may be zero.
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    pub deposit: Money,
    /// After its haircut.
    pub guarantee: Money,
    /// Paid of what is owed; its commission is netted as ever, so that exposure falls by exactly this.
    pub remittance: Money,
    pub temporary: Money,
}

/// What each way alone would have to bring for a sale of this net price; `None`: it cannot, because something else bounds the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// By how much the limit falls short; zero: the sale passes as it is.
    pub short: Money,
    pub remittance: Money,
    pub deposit: Option<Money>,
    pub guarantee: Option<Money>,
    pub temporary: Option<Money>,
    /// To be paid into the wallet, which then pays for the sale.
    pub wallet: Money,
}

impl AgencyLimit {
    /// The same agency with more.
    pub fn with(&self, added: Addition, date: NaiveDate) -> Result<AgencyLimit, MoneyError> {
        let mut standing = self.standing;
        standing.deposit = standing.deposit.checked_add(added.deposit)?;
        standing.receivable = standing.receivable.checked_sub(added.remittance)?;
        let mut terms = self.terms.clone();
        for (kind, amount) in [(TermKind::Guarantee, added.guarantee), (TermKind::Temporary, added.temporary)] {
            if amount.minor > 0 {
                terms = terms.with(LimitTerm { kind, id: 0, amount, from: date, until: date });
            }
        }
        AgencyLimit::of(self.agency, standing, self.policy.clone(), terms, date)
    }

    /// What a sale on credit of this net price would need.
    pub fn needed_for(&self, sale: Money, date: NaiveDate) -> Result<Needed, MoneyError> {
        let zero = Money::zero(sale.currency);
        let positive = |amount: Money| Money::new(amount.minor.max(0), amount.currency);
        let after = self.exposure.checked_add(sale)?;
        let short = positive(after.checked_sub(self.derived.limit)?);
        let wallet = positive(sale.checked_sub(self.standing.wallet)?);
        let nothing = Addition { deposit: zero, guarantee: zero, remittance: zero, temporary: zero };
        let enough =
            |added: Addition| -> Result<bool, MoneyError> { Ok(self.with(added, date)?.derived.limit.minor >= after.minor) };
        if short.minor == 0 {
            let none = Some(zero);
            return Ok(Needed { short, remittance: zero, deposit: none, guarantee: none, temporary: none, wallet });
        }
        let credit_is_sold = self.derived.bound != Bound::NoPolicy;
        // More security than what is there now, were security the only bound.
        let more = after.checked_sub(self.derived.temporary)?.checked_sub(self.derived.secured)?;
        let guarantee = positive(more);
        let guarantee = enough(Addition { guarantee, ..nothing })?.then_some(guarantee);
        let deposit = self.deposit_worth(positive(more))?;
        let deposit = match deposit {
            Some(deposit) if enough(Addition { deposit, ..nothing })? => Some(deposit),
            _ => None,
        };
        let temporary = credit_is_sold.then_some(short);
        Ok(Needed { short, remittance: short, deposit, guarantee, temporary, wallet })
    }

    /// The deposit whose multiple is at least so much more than that of the one lodged.
    fn deposit_worth(&self, more: Money) -> Result<Option<Money>, MoneyError> {
        let Some(policy) = self.policy.as_ref().filter(|policy| policy.deposit_multiplier.decimal() > Decimal::ZERO) else {
            return Ok(None);
        };
        let wanted = self.derived.multiplied.checked_add(more)?;
        let exact = Decimal::from(wanted.minor).checked_div(policy.deposit_multiplier.decimal()).ok_or(MoneyError::Overflow)?;
        let whole = exact.round_dp_with_strategy(0, RoundingStrategy::ToPositiveInfinity).to_i64().ok_or(MoneyError::Overflow)?;
        let added = Money::new(whole, wanted.currency).checked_sub(self.standing.deposit)?;
        Ok(Some(Money::new(added.minor.max(0), added.currency)))
    }
}
