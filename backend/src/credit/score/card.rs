//! The policy scorecard: how many points which value is worth, and what a sum of points means. A version is immutable; a change is the next version.

use super::characteristic::Characteristic;
use crate::db::schema::score_card as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, stored_currency, windowed};
use crate::ids::{Id, ScoreCardId};
use crate::money::{Currency, Money, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

rows! {
    pub struct ScoreCardRow in score_card {
        id: i64,
        currency: String,
        version: i64,
        effective_from: NaiveDate,
        body: String,
        created_at: NaiveDateTime,
    }
}

/// Values from `from` (all, where there is none) up to and without `below`, and the points that they are worth: 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    pub from: Option<i64>,
    pub below: Option<i64>,
    pub points: i64,
}

impl Band {
    fn holds(&self, value: i64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.below.is_none_or(|below| value < below)
    }
}

/// A characteristic with its weight and its bands in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighted {
    pub name: String,
    pub weight: i64,
    /// What it is worth where there is nothing to measure by.
    pub missing_points: i64,
    pub bands: Vec<Band>,
}

impl Weighted {
    pub(super) fn points(&self, value: Option<i64>) -> i64 {
        let Some(value) = value else { return self.missing_points };
        self.bands.iter().find(|band| band.holds(value)).map_or(0, |band| band.points)
    }
}

/// What so many points or more mean for a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    pub grade: String,
    /// Of 1,000.
    pub from_points: i64,
    /// 0 to 1.
    pub multiplier: String,
    pub cap_minor: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CardBody {
    characteristics: Vec<Weighted>,
    grades: Vec<Grade>,
    history_most_late: i64,
}

#[derive(Clone, Debug)]
pub struct NewScoreCard {
    pub currency: Currency,
    pub effective_from: NaiveDate,
    pub characteristics: Vec<Weighted>,
    pub grades: Vec<Grade>,
    /// An agency's risk history fails with a default, or with more late remittances than this in a year.
    pub history_most_late: i64,
}

#[derive(Clone, Debug)]
pub struct ScoreCard {
    pub id: ScoreCardId,
    pub version: i64,
    pub currency: Currency,
    pub effective_from: NaiveDate,
    pub characteristics: Vec<(Characteristic, Weighted)>,
    /// Best first; the last one begins at 0.
    pub grades: Vec<Grade>,
    pub history_most_late: i64,
    pub created_at: NaiveDateTime,
}

impl TryFrom<ScoreCardRow> for ScoreCard {
    type Error = DbError;

    fn try_from(row: ScoreCardRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("score card {}", row.id));
        let body: CardBody = serde_json::from_str(&row.body).map_err(|_| corrupt())?;
        let named = |weighted: Weighted| Some((Characteristic::parse(&weighted.name)?, weighted));
        let characteristics: Option<Vec<_>> = body.characteristics.into_iter().map(named).collect();
        Ok(ScoreCard {
            id: ScoreCardId::of(row.id),
            version: row.version,
            currency: stored_currency(&row.currency)?,
            effective_from: row.effective_from,
            characteristics: characteristics.ok_or_else(corrupt)?,
            grades: body.grades,
            history_most_late: body.history_most_late,
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CardError {
    #[error("there is no characteristic {0}")]
    Unknown(String),
    #[error("{0} is there twice")]
    Twice(String),
    #[error("the weight of {0} is negative")]
    NegativeWeight(String),
    #[error("a weight is at most 1000, and the weights are not all 0: {0}")]
    Weight(String),
    #[error("points are 0 to 100: {0}")]
    Points(String),
    #[error("the bands of {0} do not begin with one that has no `from` and end with one that has no `below`")]
    OpenEnd(String),
    #[error("between the bands of {name} there is a gap before {at}")]
    Gap { name: String, at: i64 },
    #[error("the bands of {name} overlap at {at}")]
    Overlap { name: String, at: i64 },
    #[error("a grade is one to eight capital letters, digits or signs + and -: {0}")]
    GradeName(String),
    #[error("grades are given best first, with fewer points each, the last one from 0")]
    GradeOrder,
    #[error("the multiplier of a grade is 0 to 1: a score only lowers")]
    Multiplier,
    #[error("a cap is not negative")]
    Cap,
    #[error("late remittances are counted from 0")]
    History,
    #[error("a card cannot begin on {from}: decisions of days before {today} are made")]
    Past { from: NaiveDate, today: NaiveDate },
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

const MOST_WEIGHT: i64 = 1_000;

impl NewScoreCard {
    fn check(&self) -> Result<(), CardError> {
        let mut seen = BTreeSet::new();
        for weighted in &self.characteristics {
            let name = || weighted.name.clone();
            let known = Characteristic::parse(&weighted.name).ok_or_else(|| CardError::Unknown(name()))?;
            if !seen.insert(known) {
                return Err(CardError::Twice(name()));
            }
            if weighted.weight < 0 {
                return Err(CardError::NegativeWeight(name()));
            }
            if weighted.weight > MOST_WEIGHT {
                return Err(CardError::Weight(name()));
            }
            let points = weighted.bands.iter().map(|band| band.points).chain([weighted.missing_points]);
            if !points.clone().all(|points| (0..=100).contains(&points)) {
                return Err(CardError::Points(name()));
            }
            check_bands(weighted)?;
        }
        if self.characteristics.iter().all(|weighted| weighted.weight == 0) {
            return Err(CardError::Weight("all of them".to_owned()));
        }
        if self.history_most_late < 0 {
            return Err(CardError::History);
        }
        self.check_grades()
    }

    fn check_grades(&self) -> Result<(), CardError> {
        for grade in &self.grades {
            let is_sign = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'+' || byte == b'-';
            if !(1..=8).contains(&grade.grade.len()) || !grade.grade.bytes().all(is_sign) {
                return Err(CardError::GradeName(grade.grade.clone()));
            }
            let multiplier = Rate::parse(&grade.multiplier).map_err(|_| CardError::Multiplier)?.decimal();
            if !(Decimal::ZERO..=Decimal::ONE).contains(&multiplier) {
                return Err(CardError::Multiplier);
            }
            if grade.cap_minor.is_some_and(|cap| cap < 0) {
                return Err(CardError::Cap);
            }
        }
        let falls = self.grades.is_sorted_by(|one, next| one.from_points > next.from_points && one.grade != next.grade);
        let reaches = |grade: &Grade| grade.from_points <= 1_000;
        let last = self.grades.last().map(|grade| grade.from_points);
        if falls && last == Some(0) && self.grades.iter().all(reaches) { Ok(()) } else { Err(CardError::GradeOrder) }
    }
}

/// Every value has exactly one band.
fn check_bands(weighted: &Weighted) -> Result<(), CardError> {
    let name = || weighted.name.clone();
    let (first, last) = (weighted.bands.first(), weighted.bands.last());
    let is_open = first.is_some_and(|band| band.from.is_none()) && last.is_some_and(|band| band.below.is_none());
    if !is_open {
        return Err(CardError::OpenEnd(name()));
    }
    for (band, next) in weighted.bands.iter().zip(weighted.bands.iter().skip(1)) {
        let (Some(below), Some(from)) = (band.below, next.from) else { return Err(CardError::OpenEnd(name())) };
        if below < from {
            return Err(CardError::Gap { name: name(), at: from });
        }
        // Also a band that ends before it begins: the one before it reaches into it.
        if below > from || band.from.is_some_and(|begins| begins >= below) {
            return Err(CardError::Overlap { name: name(), at: from });
        }
    }
    Ok(())
}

/// The next version for its currency. It begins today or later: decisions of days before were made by the versions before.
pub fn adopt_score_card(tx: &mut WriteTx, new: NewScoreCard) -> Result<ScoreCard, CardError> {
    new.check()?;
    if new.effective_from < tx.ledger_date {
        return Err(CardError::Past { from: new.effective_from, today: tx.ledger_date });
    }
    let latest = versions(tx.db, Some(new.currency))?.pop();
    if let Some(latest) = latest.as_ref().filter(|latest| latest.effective_from > new.effective_from) {
        return Err(CardError::BeforeLatest { latest: latest.version, from: latest.effective_from });
    }
    let NewScoreCard { currency, effective_from, characteristics, grades, history_most_late } = new;
    let body = CardBody { characteristics, grades, history_most_late };
    let row = ScoreCardRow {
        id: tx.ids.next::<ScoreCardId>().raw(),
        currency: currency.code().to_owned(),
        version: latest.map_or(1, |latest| latest.version.saturating_add(1)),
        effective_from,
        body: serde_json::to_string(&body).map_err(|error| DbError::Corrupt(error.to_string()))?,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let card = ScoreCard::try_from(row)?;
    emit(tx, NewEvent::new(EventType::ScoreCardAdopted, card.id))?;
    Ok(card)
}

/// In ascending order.
fn versions(db: &mut Db, of: Option<Currency>) -> Result<Vec<ScoreCard>, DbError> {
    let mut query = table::table.order(table::id).into_boxed();
    if let Some(currency) = of {
        query = query.filter(table::currency.eq(currency.code().to_owned()));
    }
    let rows: Vec<ScoreCardRow> = query.select(ScoreCardRow::as_select()).load(db)?;
    rows.into_iter().map(ScoreCard::try_from).collect()
}

/// Per currency the last version that has begun by a day.
pub fn cards_in_force(db: &mut Db, date: NaiveDate) -> Result<Vec<ScoreCard>, DbError> {
    let mut in_force: Vec<ScoreCard> = Vec::new();
    for card in versions(db, None)?.into_iter().filter(|card| card.effective_from <= date) {
        in_force.retain(|earlier| earlier.currency != card.currency);
        in_force.push(card);
    }
    Ok(in_force)
}

pub fn score_card(db: &mut Db, id: ScoreCardId) -> Result<Option<ScoreCard>, DbError> {
    let row: Option<ScoreCardRow> = table::table.find(id.raw()).select(ScoreCardRow::as_select()).first(db).optional()?;
    row.map(ScoreCard::try_from).transpose()
}

/// All versions, of one currency or of any.
pub fn score_cards(db: &mut Db, of: Option<Currency>, window: Window, limit: i64) -> Result<Vec<ScoreCard>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(currency) = of {
        query = query.filter(table::currency.eq(currency.code().to_owned()));
    }
    let rows: Vec<ScoreCardRow> = query.select(ScoreCardRow::as_select()).load(db)?;
    rows.into_iter().map(ScoreCard::try_from).collect()
}

impl Grade {
    pub(super) fn means(&self, currency: Currency) -> (Rate, Option<Money>) {
        // Checked when the card was adopted; what cannot be read lowers to nothing.
        let multiplier = Rate::parse(&self.multiplier).unwrap_or_else(|_| Rate::from(Decimal::ZERO));
        (multiplier, self.cap_minor.map(|minor| Money::new(minor, currency)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn band(from: Option<i64>, below: Option<i64>, points: i64) -> Band {
        Band { from, below, points }
    }

    fn card(bands: Vec<Band>) -> NewScoreCard {
        let grade = |grade: &str, from_points, multiplier: &str| Grade {
            grade: grade.into(),
            from_points,
            multiplier: multiplier.into(),
            cap_minor: None,
        };
        NewScoreCard {
            currency: Currency::CNY,
            effective_from: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
            characteristics: vec![Weighted { name: "tenure".into(), weight: 10, missing_points: 0, bands }],
            grades: vec![grade("A", 700, "1"), grade("B", 400, "0.5"), grade("C", 0, "0")],
            history_most_late: 2,
        }
    }

    fn sound() -> NewScoreCard {
        card(vec![band(None, Some(30), 0), band(Some(30), Some(365), 60), band(Some(365), None, 100)])
    }

    fn refused(change: impl FnOnce(&mut NewScoreCard)) -> CardError {
        let mut card = sound();
        change(&mut card);
        card.check().unwrap_err()
    }

    #[test]
    fn every_value_has_the_points_of_exactly_one_band() {
        let card = sound();
        card.check().unwrap();
        let points = |value| card.characteristics[0].points(value);
        let values = [i64::MIN, 29, 30, 364, 365, i64::MAX].map(Some);
        assert_eq!(values.map(points), [0, 0, 60, 60, 100, 100]);
        assert_eq!(points(None), 0);
    }

    #[test]
    fn bands_with_gaps_and_overlaps_are_refused() {
        let check = |bands| card(bands).check();
        let gap = check(vec![band(None, Some(30), 0), band(Some(31), None, 1)]);
        assert!(matches!(gap, Err(CardError::Gap { at: 31, .. })), "{gap:?}");
        let overlap = check(vec![band(None, Some(30), 0), band(Some(29), None, 1)]);
        assert!(matches!(overlap, Err(CardError::Overlap { at: 29, .. })), "{overlap:?}");
        let backwards = check(vec![band(None, Some(30), 0), band(Some(30), Some(30), 0), band(Some(30), None, 1)]);
        assert!(matches!(backwards, Err(CardError::Overlap { .. })), "{backwards:?}");
        for bands in [
            vec![],
            vec![band(Some(0), None, 1)],
            vec![band(None, Some(1), 1)],
            vec![band(None, None, 1), band(Some(2), None, 1)],
        ] {
            assert!(matches!(check(bands), Err(CardError::OpenEnd(_))));
        }
    }

    #[test]
    fn weights_points_and_names_are_what_they_may_be() {
        assert!(matches!(refused(|card| card.characteristics[0].weight = -1), CardError::NegativeWeight(_)));
        assert!(matches!(refused(|card| card.characteristics[0].weight = 0), CardError::Weight(_)));
        assert!(matches!(refused(|card| card.characteristics[0].missing_points = -1), CardError::Points(_)));
        assert!(matches!(refused(|card| card.characteristics[0].bands[1].points = 101), CardError::Points(_)));
        assert!(matches!(refused(|card| card.characteristics[0].name = "disputes".into()), CardError::Unknown(_)));
        assert!(matches!(refused(|card| card.characteristics.push(card.characteristics[0].clone())), CardError::Twice(_)));
        assert!(matches!(refused(|card| card.history_most_late = -1), CardError::History));
    }

    #[test]
    fn grades_go_down_to_nothing_and_never_raise() {
        assert!(matches!(refused(|card| card.grades[1].multiplier = "1.01".into()), CardError::Multiplier));
        assert!(matches!(refused(|card| card.grades[1].multiplier = "-0.5".into()), CardError::Multiplier));
        assert!(matches!(refused(|card| card.grades[1].cap_minor = Some(-1)), CardError::Cap));
        assert!(matches!(refused(|card| card.grades[2].from_points = 1), CardError::GradeOrder));
        assert!(matches!(refused(|card| card.grades[1].from_points = 700), CardError::GradeOrder));
        assert!(matches!(refused(|card| card.grades[0].from_points = 1_001), CardError::GradeOrder));
        assert!(matches!(refused(|card| card.grades.clear()), CardError::GradeOrder));
        assert!(matches!(refused(|card| card.grades[0].grade = "a/b".into()), CardError::GradeName(_)));
    }
}
