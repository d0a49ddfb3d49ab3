//! Why a coupon earns what it earns: the rule that won, and for every other one what stood against it.

use super::book::FiledRules;
use super::matching::{Condition, SaleFacts, SegmentFacts};
use super::precedence::{Criterion, precedence, wins_by};
use super::rule::CommissionRule;
use crate::ids::CommissionRuleId;
use chrono::NaiveDateTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Won,
    /// It applies, but the winner comes before it by this criterion.
    LostBy(Criterion),
    Fails(Condition),
    /// A later version had begun by the date of sale.
    Superseded,
    /// It begins after the date of sale.
    NotYetEffective,
    Withdrawn,
    /// It was filed after the terms of the sale were read.
    FiledLater,
}

impl Verdict {
    /// Published: the texts keep their meaning.
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Won => "won",
            Verdict::LostBy(_) => "lost",
            Verdict::Fails(_) => "condition_failed",
            Verdict::Superseded => "superseded",
            Verdict::NotYetEffective => "not_yet_effective",
            Verdict::Withdrawn => "withdrawn",
            Verdict::FiledLater => "filed_later",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'r> {
    pub version: &'r CommissionRule,
    pub verdict: Verdict,
}

/// A sale that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    pub issued_at: NaiveDateTime,
    /// What the coupon was sold under: `None` is the contract's own rate.
    pub sold_under: Option<CommissionRuleId>,
}

/// Every version that was filed, the winner first, then those that apply in their precedence, then the others by code and version. For a sale that was
/// made, what it was sold under has won, and what was filed after its terms were read did not count.
pub fn explain<'r>(rules: &'r FiledRules, sale: &SaleFacts, segment: &SegmentFacts, past: Option<Past>) -> Vec<Candidate<'r>> {
    let known = |version: &CommissionRule| past.is_none_or(|past| version.created_at <= past.issued_at);
    let begun = |version: &CommissionRule| version.rule.effective_from <= sale.sold_on;
    let latest = |version: &CommissionRule| {
        let later = |other: &CommissionRule| other.rule.code == version.rule.code && other.version > version.version;
        !rules.all().iter().any(|other| later(other) && known(other) && begun(other))
    };
    let obstacle = |version: &CommissionRule| match version {
        _ if !known(version) => Some(Verdict::FiledLater),
        _ if !begun(version) => Some(Verdict::NotYetEffective),
        _ if !latest(version) => Some(Verdict::Superseded),
        _ if version.rule.payout.is_none() => Some(Verdict::Withdrawn),
        _ => version.rule.fails(sale, segment).map(Verdict::Fails),
    };
    let (mut applicable, mut others) = (Vec::new(), Vec::new());
    for version in rules.all() {
        match obstacle(version) {
            Some(verdict) => others.push(Candidate { version, verdict }),
            None => applicable.push(version),
        }
    }
    applicable.sort_by(|left, right| precedence(left, right));
    if let Some(past) = past {
        // Filed in the moment between the reading of the terms and the commit of the sale.
        let before = applicable.iter().position(|version| Some(version.id) == past.sold_under).unwrap_or(applicable.len());
        let late = |version| Candidate { version, verdict: Verdict::FiledLater };
        others.extend(applicable.drain(..before).map(late));
    }
    let first = applicable.first().copied();
    let against = |version: &'r CommissionRule| {
        let lost = first.and_then(|first| wins_by(first, version)).map(Verdict::LostBy);
        Candidate { version, verdict: lost.unwrap_or(Verdict::Won) }
    };
    applicable.into_iter().map(against).chain(others).collect()
}
