//! What an agency earns on a ticket when it is sold: rules, which of them wins for a coupon, and what that comes to.
//!
//! A version of a rule never changes. For a sale each rule counts with its latest version in force on the date of sale; of those whose every condition
//! is met the most specific one wins (`precedence.rs` has the order). Where none is met the contract's own rate holds. What is remembered of the
//! rules (`book.rs`) is checked for being current by the statement that reads the contract, so an order is always priced with what is in force.

mod book;
mod earnings;
mod explanation;
mod filing;
mod matching;
mod precedence;
mod rule;

pub use book::{FiledRules, RuleBook, RulesInForce, Terms, current_rules, rules_generation};
pub use earnings::{CouponEarning, Earning, EarningPart, earn, earnings};
pub use explanation::{Candidate, Past, Verdict, explain};
pub use filing::{RuleError, RuleFilter, commission_rule, commission_rules, file_rule, rules_by_id};
pub use matching::{Condition, RoutePoint, SaleFacts, SegmentFacts};
pub use precedence::Criterion;
pub use rule::{CommissionRule, CommissionRuleRow, Direction, Payout, RouteEnd, Rule, Window};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
