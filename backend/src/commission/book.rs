//! The rules that this process remembers, and how it knows that they are all there are.
//!
//! Versions never change, so what can go stale is only the set of them. Every filing, on whatever node, raises the generation of the book in its commit;
//! the statement that reads an agency's contracts answers the generation of that moment too, and where the remembered one is older the rules are read
//! again before anything is priced. The commit that issues an order reads the generation again: an order that was prepared from an older one is
//! prepared anew.

use super::precedence::precedence;
use super::rule::{CommissionRule, CommissionRuleRow};
use crate::agencies::{Contract, ContractRow, Tier};
use crate::db::schema::{commission_rule, commission_rule_book, contract};
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, Id};
use chrono::NaiveDate;
use diesel::prelude::*;
use parking_lot::RwLock;
use std::sync::Arc;

/// Every version of every rule, by code and version.
#[derive(Debug, Default)]
pub struct FiledRules {
    generation: i64,
    rules: Vec<CommissionRule>,
}

/// The rules that count on one date for one agency, the first in precedence first.
#[derive(Clone, Debug)]
pub struct RulesInForce<'r>(Vec<&'r CommissionRule>);

impl<'r> RulesInForce<'r> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'r CommissionRule> {
        self.0.iter().copied()
    }
}

impl FiledRules {
    /// For tests and proofs, which have the rules at hand.
    pub fn of(mut rules: Vec<CommissionRule>) -> Self {
        rules.sort_by(|left, right| (&left.rule.code, left.version).cmp(&(&right.rule.code, right.version)));
        FiledRules { generation: 0, rules }
    }

    pub fn generation(&self) -> i64 {
        self.generation
    }

    pub fn all(&self) -> &[CommissionRule] {
        &self.rules
    }

    /// The latest version of each code that has begun by `date`, withdrawn ones included.
    pub(super) fn latest(&self, date: NaiveDate) -> impl Iterator<Item = &CommissionRule> {
        let by_code = self.rules.chunk_by(|left, right| left.rule.code == right.rule.code);
        by_code.filter_map(move |versions| versions.iter().rev().find(|version| version.rule.effective_from <= date))
    }

    pub fn in_force(&self, agency: AgencyId, tier: &Tier, date: NaiveDate) -> RulesInForce<'_> {
        let counts = |version: &&CommissionRule| version.rule.payout.is_some() && version.rule.is_for(agency, tier);
        let mut rules: Vec<&CommissionRule> = self.latest(date).filter(counts).collect();
        rules.sort_by(|left, right| precedence(left, right));
        RulesInForce(rules)
    }
}

/// What an agency sells on, as of one statement.
#[derive(Clone, Debug)]
pub struct Terms {
    pub contracts: Vec<Contract>,
    pub rules: Arc<FiledRules>,
}

#[derive(Debug, Default)]
pub struct RuleBook(RwLock<Arc<FiledRules>>);

impl RuleBook {
    /// Every version of an agency's contracts, and every rule that was filed by then.
    pub fn terms_of(&self, db: &mut Db, agency: AgencyId) -> Result<Terms, DbError> {
        let generation = commission_rule_book::table.select(commission_rule_book::generation).single_value();
        let of_agency = contract::table.filter(contract::agency_id.eq(agency.raw())).order(contract::id);
        let rows: Vec<(ContractRow, Option<i64>)> = of_agency.select((ContractRow::as_select(), generation)).load(db)?;
        let generation = rows.first().and_then(|(_, generation)| *generation).unwrap_or(0);
        let contracts = rows.into_iter().map(|(row, _)| Contract::try_from(row)).collect::<Result<_, _>>()?;
        Ok(Terms { contracts, rules: self.at(db, generation)? })
    }

    /// The rules of this generation or a later one.
    fn at(&self, db: &mut Db, generation: i64) -> Result<Arc<FiledRules>, DbError> {
        let known = self.0.read().clone();
        if known.generation >= generation {
            return Ok(known);
        }
        let read = Arc::new(current_rules(db)?);
        let mut known = self.0.write();
        if known.generation < read.generation {
            *known = read.clone();
        }
        Ok(read)
    }
}

/// All rules as they are in the database now.
pub fn current_rules(db: &mut Db) -> Result<FiledRules, DbError> {
    // The generation first: what is filed between the two statements is then read once more, never missed.
    let generation = rules_generation(db)?;
    let rows: Vec<CommissionRuleRow> = commission_rule::table.select(CommissionRuleRow::as_select()).load(db)?;
    let rules = rows.into_iter().map(CommissionRule::try_from).collect::<Result<_, _>>()?;
    Ok(FiledRules { generation, ..FiledRules::of(rules) })
}

/// How many times rules were filed.
pub fn rules_generation(db: &mut Db) -> Result<i64, DbError> {
    let generation: Option<i64> = commission_rule_book::table.select(commission_rule_book::generation).first(db).optional()?;
    Ok(generation.unwrap_or(0))
}
