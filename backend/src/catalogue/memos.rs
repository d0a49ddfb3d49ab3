//! Memos: for which reasons airlines claim and grant, and agencies dispute; how long an agency has to answer, and what an airline may add as its fee.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError, Period};
use crate::money::{Currency, Money};
use chrono::NaiveDate;

/// What a reason is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonOf {
    Adm,
    Acm,
    Dispute,
}

impl ReasonOf {
    pub const ALL: [ReasonOf; 3] = [ReasonOf::Adm, ReasonOf::Acm, ReasonOf::Dispute];

    pub fn text(self) -> &'static str {
        match self {
            ReasonOf::Adm => "adm",
            ReasonOf::Acm => "acm",
            ReasonOf::Dispute => "dispute",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        ReasonOf::ALL.into_iter().find(|of| of.text() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoReason {
    pub of: ReasonOf,
    pub code: String,
    pub name: String,
    pub name_zh: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoRule {
    carrier: Option<CarrierCode>,
    of: ReasonOf,
    period: Period,
    /// Calendar days after the day on which the memo is issued.
    pub answer_days: u64,
    /// The most that the airline adds for its own work.
    pub fee_cap: Money,
}

#[derive(Debug)]
pub struct Memos {
    reasons: Vec<MemoReason>,
    rules: Vec<MemoRule>,
}

#[derive(Clone, Copy)]
pub(super) struct MemoTables<'t> {
    pub reasons: Table<'t>,
    pub rules: Table<'t>,
}

impl Memos {
    pub(super) fn read(tables: MemoTables<'_>) -> Result<Self, CatalogueError> {
        let reasons = tables.reasons.by_key(reason, |one| (one.of, one.code.clone()))?;
        Ok(Memos { reasons, rules: tables.rules.rows(rule)? })
    }

    pub fn reasons(&self) -> &[MemoReason] {
        &self.reasons
    }

    pub fn has(&self, of: ReasonOf, code: &str) -> bool {
        self.reasons.iter().any(|one| one.of == of && one.code == code)
    }

    /// The rule for memos of a carrier in a currency on a date: its own, else that of all.
    pub fn rule(&self, of: ReasonOf, carrier: CarrierCode, currency: Currency, date: NaiveDate) -> Option<&MemoRule> {
        let own = |rule: &&MemoRule| rule.carrier.is_none_or(|own| own == carrier);
        let same = |rule: &&MemoRule| rule.of == of && rule.fee_cap.currency == currency && rule.period.contains(date);
        self.rules.iter().filter(own).filter(same).max_by_key(|rule| rule.carrier.is_some())
    }
}

fn reason(row: &Row<'_>) -> Result<MemoReason, CatalogueError> {
    Ok(MemoReason {
        of: row.with("of", ReasonOf::parse)?,
        code: row.text("code")?.to_owned(),
        name: row.text("name")?.to_owned(),
        name_zh: row.text("name_zh")?.to_owned(),
    })
}

fn rule(row: &Row<'_>) -> Result<MemoRule, CatalogueError> {
    let currency = row.with("currency", |text| Currency::parse(text).ok())?;
    let cap = |text: &str| Money::parse(text, currency).ok().filter(|cap| !cap.is_negative());
    Ok(MemoRule {
        carrier: carrier_or_all(row)?,
        of: row.with("kind", |text| ReasonOf::parse(text).filter(|of| *of != ReasonOf::Dispute))?,
        period: row.period()?,
        answer_days: row.with("answer_days", |text| text.parse().ok().filter(|days| (1..=365).contains(days)))?,
        fee_cap: row.with("fee_cap", cap)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn rule(of: ReasonOf, carrier: &str, currency: &str) -> Option<(u64, String)> {
        let (carrier, currency) = (CarrierCode::parse(carrier).unwrap(), Currency::parse(currency).unwrap());
        let rule = catalogue().memos.rule(of, carrier, currency, date("2026-11-22"))?;
        Some((rule.answer_days, rule.fee_cap.to_string()))
    }

    #[test]
    fn the_carriers_own_rule_wins_and_a_currency_without_one_has_none() {
        assert_eq!(rule(ReasonOf::Adm, "CA", "CNY"), Some((15, "200.00".into())));
        assert_eq!(rule(ReasonOf::Adm, "9C", "CNY"), Some((15, "0.00".into())));
        assert_eq!(rule(ReasonOf::Acm, "CA", "CNY"), Some((15, "0.00".into())));
        assert_eq!(rule(ReasonOf::Adm, "CA", "JPY"), None);
    }

    #[test]
    fn a_reason_belongs_to_one_kind() {
        let memos = &catalogue().memos;
        assert!(memos.has(ReasonOf::Adm, "fare_undercollected") && !memos.has(ReasonOf::Acm, "fare_undercollected"));
        assert!(memos.has(ReasonOf::Dispute, "waiver_granted") && !memos.has(ReasonOf::Dispute, ""));
        for reason in memos.reasons() {
            assert!(reason.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{reason:?}");
            assert!(!reason.name.is_empty() && !reason.name_zh.is_empty(), "{reason:?}");
        }
    }
}
