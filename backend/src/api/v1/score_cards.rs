//! `/v1/score_cards`: how many points what an agency does is worth, and what they mean for its limit. A version is immutable; a change is the next version.

use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody, Item};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::credit::score::{self, NewScoreCard, Weighted, adopt_score_card, score_cards};
use crate::identity::Scope;
use crate::ids::Id;
use crate::money::{Currency, Money};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Values from `from` up to and without `below`, and what they are worth.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreBand {
    /// Null in the first band: from the lowest value on.
    #[serde(default)]
    pub from: Option<i64>,
    /// Null in the last band.
    #[serde(default)]
    pub below: Option<i64>,
    /// 0 to 100.
    #[schema(example = 60)]
    pub points: i64,
}

/// A characteristic with its weight. Shares are parts of 10,000; sales are minor units a day; tenure is days.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreCharacteristic {
    #[schema(example = "late_remittances")]
    pub name: String,
    /// 0 to 1000.
    #[schema(example = 20)]
    pub weight: i64,
    /// What it is worth where there is nothing to measure by: 0 to 100.
    #[schema(example = 50)]
    pub missing_points: i64,
    /// Ascending, without gaps and overlaps.
    pub bands: Vec<ScoreBand>,
}

/// What so many points or more mean.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreGrade {
    #[schema(example = "B")]
    pub grade: String,
    /// Of 1,000.
    #[schema(example = 600)]
    pub from_points: i64,
    /// What is left of the limit: 0 to 1 as text.
    #[schema(example = "0.75")]
    pub multiplier: String,
    /// In the card's currency; null: no cap.
    #[serde(default)]
    #[schema(example = "500000.00")]
    pub cap_amount: Option<String>,
}

/// A version of the policy scorecard.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoreCard {
    #[schema(example = "scc_0000000000001")]
    pub id: String,
    pub version: i64,
    #[schema(example = "CNY")]
    pub currency: String,
    /// In the operator's zone.
    #[schema(example = "2026-12-01")]
    pub effective_from: String,
    pub characteristics: Vec<ScoreCharacteristic>,
    /// Best first.
    pub grades: Vec<ScoreGrade>,
    /// Risk history fails with a default, or with more late remittances than this in a year.
    pub history_most_late: i64,
    pub created_at: String,
}

impl From<score::ScoreCard> for ScoreCard {
    fn from(card: score::ScoreCard) -> Self {
        let band = |band: score::Band| ScoreBand { from: band.from, below: band.below, points: band.points };
        let weighted = |(_, of): (score::Characteristic, Weighted)| ScoreCharacteristic {
            name: of.name,
            weight: of.weight,
            missing_points: of.missing_points,
            bands: of.bands.into_iter().map(band).collect(),
        };
        let grade = |of: score::Grade| ScoreGrade {
            grade: of.grade,
            from_points: of.from_points,
            multiplier: of.multiplier,
            cap_amount: of.cap_minor.map(|minor| Money::new(minor, card.currency).to_string()),
        };
        ScoreCard {
            id: card.id.to_string(),
            version: card.version,
            currency: card.currency.to_string(),
            effective_from: card.effective_from.to_string(),
            characteristics: card.characteristics.into_iter().map(weighted).collect(),
            grades: card.grades.into_iter().map(grade).collect(),
            history_most_late: card.history_most_late,
            created_at: time(card.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptScoreCard {
    #[schema(example = "CNY")]
    pub currency: String,
    /// Today or later, and not before the version that is in force.
    #[schema(example = "2026-12-01")]
    pub effective_from: String,
    pub characteristics: Vec<ScoreCharacteristic>,
    /// Best first, the last one from 0 points.
    pub grades: Vec<ScoreGrade>,
    #[schema(example = 2)]
    pub history_most_late: i64,
}

impl AdoptScoreCard {
    fn validate(self) -> Result<NewScoreCard, ApiError> {
        let mut input = Input::default();
        let effective_from = input.date("effective_from", &self.effective_from);
        let currency = input.currency("currency", &self.currency);
        let mut grades = Vec::with_capacity(self.grades.len());
        for (place, grade) in self.grades.into_iter().enumerate() {
            let field = format!("grades/{place}/cap_amount");
            let cap = grade.cap_amount.as_deref();
            let cap = cap.and_then(|text| input.money((&field, text), ("currency", &self.currency)));
            let ScoreGrade { grade, from_points, multiplier, .. } = grade;
            grades.push(score::Grade { grade, from_points, multiplier, cap_minor: cap.map(|cap| cap.minor) });
        }
        let band = |band: ScoreBand| score::Band { from: band.from, below: band.below, points: band.points };
        let weighted = |of: ScoreCharacteristic| Weighted {
            name: of.name,
            weight: of.weight,
            missing_points: of.missing_points,
            bands: of.bands.into_iter().map(band).collect(),
        };
        let characteristics = self.characteristics.into_iter().map(weighted).collect();
        let history_most_late = self.history_most_late;
        let read = currency.zip(effective_from).map(|(currency, effective_from)| NewScoreCard {
            currency,
            effective_from,
            characteristics,
            grades,
            history_most_late,
        });
        input.finish(read)
    }
}

/// All versions, newest first. The operator only.
#[utoipa::path(get, path = "/v1/score_cards", tag = "Settlement", operation_id = "list_score_cards",
    params(PageParams, ("currency" = Option<String>, Query, description = "Only this currency's")),
    responses((status = 200, body = Page<ScoreCard>)))]
pub async fn list_score_cards(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/score_cards")?;
    let (window, limit) = (request.window(), request.fetch());
    let currency = query.get("currency").map(Currency::parse).transpose();
    let currency = currency.map_err(|error| ApiError::from(Item::money(&error, "")).parameter("currency"))?;
    let found = caller.read(move |db| score_cards(db, currency, window, limit)).await?;
    Ok(page(&request.page(found, |card| card.id.raw()).map(ScoreCard::from)))
}

/// Adopts the next version for a currency: agencies are decided by it from the night before its first day on. The operator only.
#[utoipa::path(post, path = "/v1/score_cards", tag = "Settlement", operation_id = "adopt_score_card", request_body = Data<AdoptScoreCard>,
    responses((status = 201, body = Data<ScoreCard>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`; of bands: `band_gap`, `band_overlap`; \
            `negative_weight`; `version_in_the_past`", body = ErrorBody)))]
pub async fn adopt(caller: Caller, request: HttpRequest, body: Body<AdoptScoreCard>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let adopted = adopt_score_card(tx, new)?;
        audit::record(tx, &cause, "score_card.adopt", adopted.id)?;
        Ok(ScoreCard::from(adopted))
    })
    .await
}
