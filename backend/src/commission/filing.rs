//! Filing a version of a rule. Filings come one after another: each raises the generation of the book, whose row it locks by that.

use super::rule::{CommissionRule, CommissionRuleRow, Payout, Rule};
use crate::agencies::{Tier, agency};
use crate::airlines::airline;
use crate::db::schema::{commission_rule, commission_rule_book};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, windowed};
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, Id};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;

/// Decimals of a rate at most: 3.1579 % has six. More would make products that no decimal holds exactly.
const RATE_DECIMALS: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("a code is 1 to 40 capital letters, digits and hyphens")]
    Code,
    #[error("a rate is between 0 and 1 and has at most 8 decimals")]
    Rate,
    #[error("an amount per segment is above zero")]
    Amount,
    #[error("a rule is for one agency or for a tier, not for both")]
    AgencyAndTier,
    #[error("there is no such agency")]
    NoAgency,
    #[error("there is no such airline")]
    NoAirline,
    #[error("sale dates end before they begin")]
    SaleDates,
    #[error("travel dates end before they begin")]
    TravelDates,
    #[error("what was sold is not changed any more: a version begins on {today} or later")]
    Backdated { today: NaiveDate },
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error("there is no rule {0} to withdraw")]
    NothingToWithdraw(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for RuleError {
    fn from(error: diesel::result::Error) -> Self {
        RuleError::Db(error.into())
    }
}

fn is_code(code: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&code.len()) && code.bytes().all(allowed)
}

/// What is wrong with a rule by itself.
fn check(rule: &Rule) -> Result<(), RuleError> {
    if !is_code(&rule.code) {
        return Err(RuleError::Code);
    }
    match rule.payout {
        Some(Payout::Share { rate, .. })
            if rate.is_negative() || rate.decimal() > Decimal::ONE || rate.decimal().normalize().scale() > RATE_DECIMALS =>
        {
            return Err(RuleError::Rate);
        }
        Some(Payout::PerSegment(amount)) if amount.minor <= 0 => return Err(RuleError::Amount),
        _ => {}
    }
    if rule.agency.is_some() && rule.tier.is_some() {
        return Err(RuleError::AgencyAndTier);
    }
    if rule.sold.is_backwards() {
        return Err(RuleError::SaleDates);
    }
    if rule.travelled.is_backwards() {
        return Err(RuleError::TravelDates);
    }
    Ok(())
}

/// Adds the next version of a rule, the first one where its code is new.
pub fn file_rule(tx: &mut WriteTx, rule: &Rule) -> Result<CommissionRule, RuleError> {
    check(rule)?;
    if rule.effective_from < tx.ledger_date {
        return Err(RuleError::Backdated { today: tx.ledger_date });
    }
    if let Some(id) = rule.agency {
        agency(tx.db, id)?.ok_or(RuleError::NoAgency)?;
    }
    if let Some(id) = rule.airline {
        airline(tx.db, id)?.ok_or(RuleError::NoAirline)?;
    }
    // Locks the book until the commit; the versions are read after that.
    let book = commission_rule_book::table.filter(commission_rule_book::id.eq(1));
    let raised = commission_rule_book::generation.eq(commission_rule_book::generation + 1);
    if diesel::update(book).set(raised).execute(&mut *tx.db)? != 1 {
        return Err(DbError::Corrupt("there is no book of commission rules".into()).into());
    }
    let latest: Option<(i64, NaiveDate)> = commission_rule::table
        .filter(commission_rule::code.eq(&rule.code))
        .order(commission_rule::version.desc())
        .select((commission_rule::version, commission_rule::effective_from))
        .first(&mut *tx.db)
        .optional()?;
    match latest {
        Some((latest, from)) if rule.effective_from < from => return Err(RuleError::BeforeLatest { latest, from }),
        None if rule.payout.is_none() => return Err(RuleError::NothingToWithdraw(rule.code.clone())),
        _ => {}
    }
    let version = latest.map_or(1, |(version, _)| version.saturating_add(1));
    let row = CommissionRuleRow::of(tx.ids.next(), version, rule, tx.now.naive());
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(CommissionRule::try_from(row)?)
}

pub fn commission_rule(db: &mut Db, id: CommissionRuleId) -> Result<Option<CommissionRule>, DbError> {
    Ok(rules_by_id(db, &[id])?.pop())
}

pub fn rules_by_id(db: &mut Db, ids: &[CommissionRuleId]) -> Result<Vec<CommissionRule>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let wanted = commission_rule::table.filter(commission_rule::id.eq_any(raw));
    let rows: Vec<CommissionRuleRow> = wanted.select(CommissionRuleRow::as_select()).load(db)?;
    rows.into_iter().map(CommissionRule::try_from).collect()
}

/// Which rules; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct RuleFilter {
    pub code: Option<String>,
    /// Rules that can match one of these agencies: for it, for its tier or for everybody.
    pub agencies: Option<Vec<(AgencyId, Tier)>>,
    /// Rules of these validating carriers, and those of every carrier.
    pub airlines: Option<Vec<AirlineId>>,
}

pub fn commission_rules(db: &mut Db, filter: &RuleFilter, window: Window, limit: i64) -> Result<Vec<CommissionRule>, DbError> {
    let mut query = windowed!(commission_rule::table.into_boxed(), commission_rule::id, window, limit);
    if let Some(code) = &filter.code {
        query = query.filter(commission_rule::code.eq(code.clone()));
    }
    if let Some(agencies) = &filter.agencies {
        let raw: Vec<i64> = agencies.iter().map(|(id, _)| id.raw()).collect();
        let tiers: Vec<String> = agencies.iter().map(|(_, tier)| tier.to_string()).collect();
        query = query
            .filter(commission_rule::agency_id.is_null().or(commission_rule::agency_id.eq_any(raw)))
            .filter(commission_rule::agency_tier.is_null().or(commission_rule::agency_tier.eq_any(tiers)));
    }
    if let Some(airlines) = &filter.airlines {
        let raw: Vec<i64> = airlines.iter().map(|id| id.raw()).collect();
        query = query.filter(commission_rule::airline_id.is_null().or(commission_rule::airline_id.eq_any(raw)));
    }
    let rows: Vec<CommissionRuleRow> = query.select(CommissionRuleRow::as_select()).load(db)?;
    rows.into_iter().map(CommissionRule::try_from).collect()
}
