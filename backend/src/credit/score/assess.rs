//! From inputs to a decision, by a card: pure, so that a decision made again from what is stored with it comes to the same.

use super::card::{ScoreCard, Weighted};
use super::characteristic::Characteristic;
use super::inputs::Inputs;
use crate::money::{Money, Rate};
use rust_decimal::Decimal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
}

impl Verdict {
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Verdict::Passed, Verdict::Failed].into_iter().find(|verdict| verdict.text() == text)
    }
}

/// Financial review x risk history: both passed, one failed, both failed. What may be owed in C is the security provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskStatus {
    A,
    B,
    C,
}

impl RiskStatus {
    pub fn text(self) -> &'static str {
        match self {
            RiskStatus::A => "A",
            RiskStatus::B => "B",
            RiskStatus::C => "C",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [RiskStatus::A, RiskStatus::B, RiskStatus::C].into_iter().find(|status| status.text() == text)
    }

    fn of(review: Verdict, history: Verdict) -> Self {
        match (review, history) {
            (Verdict::Passed, Verdict::Passed) => RiskStatus::A,
            (Verdict::Failed, Verdict::Failed) => RiskStatus::C,
            _ => RiskStatus::B,
        }
    }
}

/// What one characteristic came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub characteristic: Characteristic,
    pub value: Option<i64>,
    pub weight: i64,
    pub points: i64,
}

impl Part {
    /// What it cost: its weight times the points that it is short of 100.
    pub fn lost(&self) -> i64 {
        self.weight.saturating_mul(100i64.saturating_sub(self.points))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// In the order of the card.
    pub parts: Vec<Part>,
    /// Of 1,000, rounded down.
    pub points: i64,
    pub grade: String,
    pub multiplier: Rate,
    pub cap: Option<Money>,
    pub risk_history: Verdict,
    pub status: RiskStatus,
}

/// How many reasons are given.
const REASONS: usize = 4;

impl Assessment {
    /// What cost most, most first; of equals the one that the card names first.
    pub fn reasons(&self) -> Vec<Part> {
        let mut reasons: Vec<Part> = self.parts.iter().filter(|part| part.lost() > 0).copied().collect();
        reasons.sort_by_key(|part| std::cmp::Reverse(part.lost()));
        reasons.truncate(REASONS);
        reasons
    }
}

pub fn assess(card: &ScoreCard, inputs: &Inputs) -> Assessment {
    let part = |(characteristic, weighted): &(Characteristic, Weighted)| {
        let value = inputs.value(*characteristic);
        Part { characteristic: *characteristic, value, weight: weighted.weight, points: weighted.points(value) }
    };
    let parts: Vec<Part> = card.characteristics.iter().map(part).collect();
    // At most 14 x 1,000 x 100, and the weights are not all 0.
    let earned: i64 = parts.iter().map(|part| part.weight.saturating_mul(part.points)).sum();
    let weights: i64 = parts.iter().map(|part| part.weight).sum();
    let points = earned.saturating_mul(10).checked_div(weights).unwrap_or(0).clamp(0, 1_000);
    let (grade, (multiplier, cap)) = match card.grades.iter().find(|grade| points >= grade.from_points) {
        Some(grade) => (grade.grade.clone(), grade.means(card.currency)),
        // Every card has a grade from 0 points on.
        None => (String::from("-"), (Rate::from(Decimal::ZERO), None)),
    };
    let failed = inputs.defaults > 0 || inputs.late > card.history_most_late;
    let risk_history = if failed { Verdict::Failed } else { Verdict::Passed };
    let review = if inputs.value(Characteristic::FinancialReview) == Some(1) { Verdict::Passed } else { Verdict::Failed };
    Assessment { parts, points, grade, multiplier, cap, risk_history, status: RiskStatus::of(review, risk_history) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::card::{Band, Grade};
    use super::*;
    use crate::ids::{Id, ScoreCardId};
    use crate::money::Currency;
    use chrono::NaiveDate;

    fn card() -> ScoreCard {
        let weighted = |of: Characteristic, weight: i64, at: i64| {
            let bands = vec![Band { from: None, below: Some(at), points: 100 }, Band { from: Some(at), below: None, points: 40 }];
            (of, Weighted { name: of.to_string(), weight, missing_points: 70, bands })
        };
        let grade = |grade: &str, from_points, multiplier: &str, cap_minor| Grade {
            grade: grade.into(),
            from_points,
            multiplier: multiplier.into(),
            cap_minor,
        };
        let begin = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        ScoreCard {
            id: ScoreCardId::of(1),
            version: 1,
            currency: Currency::CNY,
            effective_from: begin,
            characteristics: vec![
                weighted(Characteristic::Voids, 20, 1_000),
                weighted(Characteristic::Refunds, 10, 500),
                weighted(Characteristic::LateRemittances, 50, 1),
            ],
            grades: vec![grade("A", 900, "1", None), grade("B", 600, "0.75", Some(5_000_000)), grade("C", 0, "0.25", None)],
            history_most_late: 2,
            created_at: begin.and_hms_opt(0, 0, 0).unwrap(),
        }
    }

    fn inputs(text: &str) -> Inputs {
        Inputs::parse(text).unwrap()
    }

    #[test]
    fn points_are_weighted_and_what_cannot_be_measured_has_points_of_its_own() {
        let all =
            assess(&card(), &inputs("voids=0 refunds=0 late_remittances=0 financial_review=1 history_defaults=0 history_late=0"));
        assert_eq!((all.points, all.grade.as_str(), all.status), (1_000, "A", RiskStatus::A));
        assert!(all.reasons().is_empty());
        // 20 x 40 + 10 x 100 + 50 x 70 = 5,300 of 8,000.
        let some = assess(&card(), &inputs("voids=1000 refunds=499 history_defaults=0 history_late=0"));
        assert_eq!((some.points, some.grade.as_str(), some.cap), (662, "B", Some(Money::new(5_000_000, Currency::CNY))));
        let reasons: Vec<Characteristic> = some.reasons().iter().map(|part| part.characteristic).collect();
        assert_eq!(reasons, [Characteristic::LateRemittances, Characteristic::Voids]);
    }

    #[test]
    fn status_is_the_financial_review_and_the_risk_history() {
        let status = |review: &str, defaults: i64, late: i64| {
            let text = format!("{review}history_defaults={defaults} history_late={late}");
            assess(&card(), &inputs(&text)).status
        };
        assert_eq!(status("financial_review=1 ", 0, 2), RiskStatus::A);
        assert_eq!(status("financial_review=1 ", 0, 3), RiskStatus::B);
        assert_eq!(status("financial_review=1 ", 1, 0), RiskStatus::B);
        assert_eq!(status("financial_review=0 ", 0, 0), RiskStatus::B);
        assert_eq!(status("", 0, 0), RiskStatus::B, "statements that nobody has reviewed are overdue");
        assert_eq!(status("financial_review=0 ", 0, 3), RiskStatus::C);
    }
}
