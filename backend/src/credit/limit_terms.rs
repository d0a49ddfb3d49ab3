//! What an agency's limit is made of beside its deposit and the policy: guarantees, temporary limits and the last review. The registers hold them; the
//! agency's own row, which a sale locks and reads anyway, holds a copy, with the days on which each counts. So the commit that decides finds without
//! another statement what has expired. `verify` compares the copy with the registers.

use super::guarantee::guarantees_in_register;
use super::limit::LimitPolicy;
use super::review::last_review;
use super::score::Caution;
use super::temporary_limit::temporary_limits_in_register;
use crate::agencies::{Agency, set_limit_terms};
use crate::db::{Db, DbError, WriteTx};
use crate::ids::AgencyId;
use crate::money::{Currency, Money, MoneyError};
use chrono::NaiveDate;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    Guarantee,
    /// The Remittance Holding Capacity of the last review.
    HoldingCapacity,
    Temporary,
}

impl TermKind {
    const ALL: [TermKind; 3] = [TermKind::Guarantee, TermKind::HoldingCapacity, TermKind::Temporary];

    fn text(self) -> &'static str {
        match self {
            TermKind::Guarantee => "guarantee",
            TermKind::HoldingCapacity => "holding_capacity",
            TermKind::Temporary => "temporary",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitTerm {
    pub kind: TermKind,
    /// Of its row in the register.
    pub id: i64,
    /// As it counts: a guarantee after its haircut.
    pub amount: Money,
    pub from: NaiveDate,
    /// The last day on which it counts.
    pub until: NaiveDate,
}

impl LimitTerm {
    fn counts_on(&self, date: NaiveDate) -> bool {
        (self.from..=self.until).contains(&date)
    }

    fn text(&self) -> String {
        format!("{}/{}/{}/{}/{}", self.kind.text(), self.id, self.amount.minor, self.from, self.until)
    }

    fn parse(text: &str, currency: Currency) -> Option<Self> {
        let mut parts = text.split('/');
        let mut next = || parts.next();
        let word = next()?;
        let term = LimitTerm {
            kind: TermKind::ALL.into_iter().find(|kind| kind.text() == word)?,
            id: next()?.parse().ok()?,
            amount: Money::new(next()?.parse().ok()?, currency),
            from: next()?.parse().ok()?,
            until: next()?.parse().ok()?,
        };
        next().is_none().then_some(term)
    }
}

/// Of one agency, in its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitTerms {
    terms: Vec<LimitTerm>,
    /// What its score takes from what they come to.
    pub caution: Caution,
}

impl Default for LimitTerms {
    fn default() -> Self {
        LimitTerms { terms: Vec::new(), caution: Caution::none() }
    }
}

impl LimitTerms {
    /// As the agency's row has them.
    pub fn of(agency: &Agency) -> Result<Self, DbError> {
        let terms = agency.limit_terms.split_ascii_whitespace().map(|text| LimitTerm::parse(text, agency.currency));
        let terms: Option<Vec<LimitTerm>> = terms.collect();
        let terms = terms.ok_or_else(|| DbError::Corrupt(format!("limit terms of agency {}", agency.id)))?;
        Ok(LimitTerms { terms, caution: Caution::parse(&agency.caution, agency.currency)? })
    }

    pub(super) fn in_register(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Self, DbError> {
        let mut terms = guarantees_in_register(db, agency, currency)?;
        terms.extend(temporary_limits_in_register(db, agency, currency)?);
        terms.extend(last_review(db, agency, currency)?);
        terms.sort_unstable_by_key(|term| (term.kind, term.id));
        Ok(LimitTerms { terms, ..LimitTerms::default() })
    }

    pub fn text(&self) -> String {
        self.terms.iter().map(LimitTerm::text).collect::<Vec<_>>().join(" ")
    }

    pub fn on(&self, date: NaiveDate) -> impl Iterator<Item = &LimitTerm> {
        self.terms.iter().filter(move |term| term.counts_on(date))
    }

    fn sum(&self, kind: TermKind, currency: Currency, date: NaiveDate) -> Result<Money, MoneyError> {
        Money::sum(currency, self.on(date).filter(|term| term.kind == kind).map(|term| term.amount))
    }

    #[must_use]
    pub fn with(mut self, term: LimitTerm) -> Self {
        self.terms.push(term);
        self
    }

    #[must_use]
    pub fn cautioned(self, caution: Caution) -> Self {
        LimitTerms { caution, ..self }
    }
}

/// Copies the registers to the agency, whose lock the caller holds; answers what its limit was made of before.
pub(super) fn refresh_terms(tx: &mut WriteTx, agency: &Agency) -> Result<(), DbError> {
    let terms = LimitTerms::in_register(tx.db, agency.id, agency.currency)?;
    set_limit_terms(tx, agency.id, &terms.text())
}

/// What keeps a limit from being higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Without a policy nothing is sold on credit.
    NoPolicy,
    Security,
    Cap,
    HoldingCapacity,
    Score,
}

impl Bound {
    pub fn text(self) -> &'static str {
        match self {
            Bound::NoPolicy => "no_policy",
            Bound::Security => "security",
            Bound::Cap => "cap",
            Bound::HoldingCapacity => "holding_capacity",
            Bound::Score => "score",
        }
    }
}

/// A limit with its terms: the smallest of (deposit x multiplier + guarantees), the policy's cap and what stays below the baseline; less what the score takes;
/// and on top of it, for a while, what two people have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Deposit x multiplier.
    pub multiplied: Money,
    /// Guarantees in force, after their haircuts.
    pub security: Money,
    /// Both.
    pub secured: Money,
    pub bound: Bound,
    /// What is left of it below the bounds.
    pub bounded: Money,
    pub temporary: Money,
    pub limit: Money,
}

/// What does not fit is more than any limit; sums with it still fit.
const LARGEST: i64 = i64::MAX / 8;

fn clamped(amount: Result<Money, MoneyError>, currency: Currency) -> Result<Money, MoneyError> {
    match amount {
        Ok(amount) => Ok(Money::new(amount.minor.min(LARGEST), currency)),
        Err(MoneyError::Overflow) => Ok(Money::new(LARGEST, currency)),
        Err(other) => Err(other),
    }
}

/// What may be owed at most on a day, with what that is made of.
pub fn derive(deposit: Money, policy: Option<&LimitPolicy>, terms: &LimitTerms, date: NaiveDate) -> Result<Derived, MoneyError> {
    let currency = deposit.currency;
    let zero = Money::zero(currency);
    let security = clamped(terms.sum(TermKind::Guarantee, currency, date), currency)?;
    let Some(policy) = policy else {
        let nothing = Derived {
            multiplied: zero,
            security,
            secured: security,
            bound: Bound::NoPolicy,
            bounded: zero,
            temporary: zero,
            limit: zero,
        };
        return Ok(nothing);
    };
    let multiplied = clamped(deposit.portion(policy.deposit_multiplier), currency)?;
    let secured = clamped(multiplied.checked_add(security), currency)?;
    let (mut bound, mut bounded) = (Bound::Security, secured);
    if policy.cap.minor < bounded.minor {
        (bound, bounded) = (Bound::Cap, policy.cap);
    }
    let reviewed = terms.on(date).filter(|term| term.kind == TermKind::HoldingCapacity).map(|term| term.amount).last();
    // Owing as much as the holding capacity is outside it.
    if let Some(inside) = reviewed.map(|capacity| Money::new((capacity.minor - 1).max(0), currency))
        && inside.minor < bounded.minor
    {
        (bound, bounded) = (Bound::HoldingCapacity, inside);
    }
    let lowered = terms.caution.lower(bounded, clamped(deposit.checked_add(security), currency)?)?;
    if lowered.minor < bounded.minor {
        (bound, bounded) = (Bound::Score, lowered);
    }
    let temporary = clamped(terms.sum(TermKind::Temporary, currency, date), currency)?;
    let limit = clamped(bounded.checked_add(temporary), currency)?;
    Ok(Derived { multiplied, security, secured, bound, bounded, temporary, limit })
}

/// What may be owed at most. Without a policy nothing is sold on credit.
pub fn sales_limit(
    deposit: Money,
    policy: Option<&LimitPolicy>,
    terms: &LimitTerms,
    date: NaiveDate,
) -> Result<Money, MoneyError> {
    Ok(derive(deposit, policy, terms, date)?.limit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::score::RiskStatus;
    use super::*;
    use crate::ids::{Id, LimitPolicyId};
    use crate::money::Rate;
    use proptest::prelude::*;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn policy(cap: &str) -> LimitPolicy {
        LimitPolicy {
            id: LimitPolicyId::of(1),
            version: 1,
            effective_from: day(1),
            deposit_multiplier: Rate::parse("1.5").unwrap(),
            cap: cny(cap),
        }
    }

    fn term(kind: TermKind, amount: &str, from: u32, until: u32) -> LimitTerm {
        LimitTerm { kind, id: 7, amount: cny(amount), from: day(from), until: day(until) }
    }

    fn limit(deposit: &str, cap: &str, terms: &LimitTerms, on: u32) -> (Money, Bound) {
        let derived = derive(cny(deposit), Some(&policy(cap)), terms, day(on)).unwrap();
        (derived.limit, derived.bound)
    }

    #[test]
    fn the_limit_is_the_deposit_times_the_multiplier_up_to_the_cap() {
        let none = LimitTerms::default();
        assert_eq!(limit("600.00", "1000.00", &none, 1), (cny("900.00"), Bound::Security));
        assert_eq!(limit("700.00", "1000.00", &none, 1), (cny("1000.00"), Bound::Cap));
        assert_eq!(sales_limit(cny("700.00"), None, &none, day(1)), Ok(cny("0.00")));
        let temporary = none.with(term(TermKind::Temporary, "5.00", 1, 9));
        assert_eq!(sales_limit(cny("700.00"), None, &temporary, day(1)), Ok(cny("0.00")), "no policy, no credit");
    }

    #[test]
    fn a_guarantee_counts_from_its_first_to_its_last_day_and_under_the_cap() {
        let terms = LimitTerms::default().with(term(TermKind::Guarantee, "70.00", 2, 4));
        let on = |on| limit("600.00", "950.00", &terms, on);
        assert_eq!([1, 2, 4, 5].map(|day| on(day).0), ["900.00", "950.00", "950.00", "900.00"].map(cny));
        assert_eq!(on(3).1, Bound::Cap);
        assert_eq!(limit("600.00", "9999.00", &terms, 3), (cny("970.00"), Bound::Security));
    }

    #[test]
    fn a_temporary_limit_comes_on_top_of_every_bound() {
        let terms = LimitTerms::default().with(term(TermKind::Temporary, "50.00", 2, 4));
        assert_eq!(limit("700.00", "1000.00", &terms, 2).0, cny("1050.00"));
        assert_eq!(limit("700.00", "1000.00", &terms, 5).0, cny("1000.00"));
    }

    #[test]
    fn owing_as_much_as_the_holding_capacity_is_outside_it() {
        let terms = LimitTerms::default().with(term(TermKind::HoldingCapacity, "700000.00", 1, 31));
        assert_eq!(limit("600000.00", "1000000.00", &terms, 9), (cny("699999.99"), Bound::HoldingCapacity));
        assert_eq!(limit("400000.00", "1000000.00", &terms, 9), (cny("600000.00"), Bound::Security));
    }

    fn cautioned(multiplier: &str, cap: Option<Money>, status: RiskStatus) -> Caution {
        Caution { grade: Some("B".into()), multiplier: Rate::parse(multiplier).unwrap(), cap, status }
    }

    #[test]
    fn a_score_only_lowers() {
        let with = |multiplier: &str, cap: Option<&str>, status| {
            let caution = cautioned(multiplier, cap.map(cny), status);
            let terms = LimitTerms::default().with(term(TermKind::Guarantee, "10.00", 1, 9)).cautioned(caution);
            limit("600.00", "1000.00", &terms, 1)
        };
        assert_eq!(with("0.5", None, RiskStatus::A), (cny("455.00"), Bound::Score));
        assert_eq!(with("1", Some("300.00"), RiskStatus::B), (cny("300.00"), Bound::Score));
        assert_eq!(with("2", Some("5000.00"), RiskStatus::B), (cny("910.00"), Bound::Security));
        assert_eq!(with("0", None, RiskStatus::A), (cny("0.00"), Bound::Score));
        // Deposit and guarantee, whatever the policy makes of them.
        assert_eq!(with("1", None, RiskStatus::C), (cny("610.00"), Bound::Score));
    }

    proptest! {
        #[test]
        fn no_score_raises_a_limit(
            amounts in (0i64..1 << 50, 0i64..1 << 50, 0i64..1 << 50, 1i64..1 << 50),
            multiplier in -20_000i64..30_000,
            cap in proptest::option::of(0i64..1 << 50),
            status in 0usize..3,
        ) {
            let money = |minor| Money::new(minor, Currency::CNY);
            let (deposit, guarantee, cap_of_policy, capacity) = amounts;
            let policy = LimitPolicy { cap: money(cap_of_policy), ..policy("1.00") };
            let guarantee = LimitTerm { amount: money(guarantee), ..term(TermKind::Guarantee, "1.00", 1, 31) };
            let reviewed = LimitTerm { amount: money(capacity), ..term(TermKind::HoldingCapacity, "1.00", 1, 31) };
            let terms = LimitTerms::default().with(guarantee).with(reviewed);
            let without = derive(money(deposit), Some(&policy), &terms, day(2)).unwrap();
            let caution = Caution {
                grade: Some("B".into()),
                multiplier: Rate::from(rust_decimal::Decimal::new(multiplier, 4)),
                cap: cap.map(money),
                status: [RiskStatus::A, RiskStatus::B, RiskStatus::C][status],
            };
            let with = derive(money(deposit), Some(&policy), &terms.cautioned(caution), day(2)).unwrap();
            prop_assert!((0..=without.limit.minor).contains(&with.limit.minor), "{with:?} {without:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_more_than_any_limit() {
        let huge = Money::new(i64::MAX, Currency::CNY);
        let terms = LimitTerms::default().with(LimitTerm { amount: huge, ..term(TermKind::Guarantee, "1.00", 1, 31) });
        let terms = terms.with(LimitTerm { amount: huge, ..term(TermKind::Guarantee, "1.00", 1, 31) });
        let policy = LimitPolicy { cap: huge, ..policy("1.00") };
        let derived = derive(huge, Some(&policy), &terms, day(1)).unwrap();
        assert_eq!(derived.limit.minor, LARGEST);
    }

    #[test]
    fn terms_are_stored_as_text_and_read_again() {
        let terms =
            LimitTerms::default().with(term(TermKind::Guarantee, "70.00", 2, 4)).with(term(TermKind::Temporary, "0.01", 1, 1));
        assert_eq!(terms.text(), "guarantee/7/7000/2026-03-02/2026-03-04 temporary/7/1/2026-03-01/2026-03-01");
        let read = terms.text().split(' ').map(|text| LimitTerm::parse(text, Currency::CNY)).collect::<Option<Vec<_>>>();
        assert_eq!(read, Some(terms.terms));
        for wrong in
            ["", "guarantee/7/7000/2026-03-02", "bond/7/7000/2026-03-02/2026-03-04", "guarantee/7/1/2026-03-02/2026-03-04/5"]
        {
            assert_eq!(LimitTerm::parse(wrong, Currency::CNY), None, "{wrong}");
        }
    }
}
