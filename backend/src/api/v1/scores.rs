//! `/v1/scores`: what is thought of an agency, why, and that it can be made again.

use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::{Sight, narrowed, require_operator, visible_agency};
use super::{financial_reviews, score_cards, velocity};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::credit::score::{self, Assessment, Part, ScoreCard, ScoreError, assess, score_card, score_of};
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id};
use crate::money::Money;
use actix_web::web::{ServiceConfig, get, post, resource};
use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one characteristic came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScorePart {
    #[schema(example = "late_remittances")]
    pub name: String,
    /// Shares are parts of 10,000, sales minor units a day, tenure days; null where there was nothing to measure by.
    pub value: Option<i64>,
    pub weight: i64,
    /// 0 to 100.
    pub points: i64,
}

/// A characteristic that cost points.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoreReason {
    #[schema(example = "late_remittances")]
    pub code: String,
    #[schema(example = "Cycles were remitted late")]
    pub en: String,
    #[serde(rename = "zh-CN")]
    #[schema(example = "存在逾期汇款的结算周期")]
    pub zh_cn: String,
}

/// A decision about an agency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Score {
    #[schema(example = "scr_0000000000001")]
    pub id: String,
    pub agency_id: String,
    /// Sales of the days before it count.
    #[schema(example = "2026-12-01")]
    pub as_of: String,
    pub taken_at: String,
    /// `nightly`, or the risk event: `default`, `late_remittance`, `short_remittance`.
    pub cause: String,
    pub score_card_id: String,
    pub score_card_version: i64,
    /// Of 1,000.
    #[schema(example = 712)]
    pub points: i64,
    #[schema(example = "B")]
    pub grade: String,
    /// What is left of what policy, baseline and security allow.
    #[schema(example = "0.75")]
    pub multiplier: String,
    /// Null: no cap.
    pub cap_amount: Option<String>,
    #[schema(example = "CNY")]
    pub currency: String,
    /// `passed` or `failed`.
    pub risk_history: String,
    /// `A`: financial review and risk history passed; `B`: one of them failed; `C`: both, and no more may be owed than is secured.
    #[schema(example = "A")]
    pub status: String,
    /// What cost most points, most first.
    pub reasons: Vec<ScoreReason>,
    pub characteristics: Vec<ScorePart>,
}

impl Score {
    fn of(score: &score::Score, card: &ScoreCard) -> Self {
        let assessment = assess(card, &score.inputs);
        let reason = |part: Part| ScoreReason {
            code: part.characteristic.to_string(),
            en: part.characteristic.english().to_owned(),
            zh_cn: part.characteristic.chinese().to_owned(),
        };
        let part = |part: &Part| ScorePart {
            name: part.characteristic.to_string(),
            value: part.value,
            weight: part.weight,
            points: part.points,
        };
        Score {
            id: score.id.to_string(),
            agency_id: score.agency.to_string(),
            as_of: score.as_of.to_string(),
            taken_at: time(score.taken_at.naive()),
            cause: score.cause.text().to_owned(),
            score_card_id: card.id.to_string(),
            score_card_version: card.version,
            points: score.points,
            grade: score.grade.clone(),
            multiplier: score.multiplier.to_string(),
            cap_amount: score.cap_minor.map(|minor| Money::new(minor, card.currency).to_string()),
            currency: card.currency.to_string(),
            risk_history: score.risk_history.text().to_owned(),
            status: score.status.text().to_owned(),
            reasons: assessment.reasons().into_iter().map(reason).collect(),
            characteristics: assessment.parts.iter().map(part).collect(),
        }
    }
}

/// What a decision comes to when it is made again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReplayedScore {
    pub points: i64,
    pub grade: String,
    pub multiplier: String,
    pub risk_history: String,
    pub status: String,
    /// Whether it is what was decided.
    pub agrees: bool,
}

impl ReplayedScore {
    fn of(assessment: &Assessment, agrees: bool) -> Self {
        ReplayedScore {
            points: assessment.points,
            grade: assessment.grade.clone(),
            multiplier: assessment.multiplier.to_string(),
            risk_history: assessment.risk_history.text().to_owned(),
            status: assessment.status.text().to_owned(),
            agrees,
        }
    }
}

/// An input that the records do not say any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoreDifference {
    pub name: String,
    pub stored: Option<i64>,
    pub from_records: Option<i64>,
}

/// A decision made again in both ways.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoreReplay {
    pub score: Score,
    pub from_inputs: ReplayedScore,
    pub from_records: ReplayedScore,
    /// Empty where both agree.
    pub differences: Vec<ScoreDifference>,
}

impl From<ScoreError> for ApiError {
    fn from(error: ScoreError) -> Self {
        match error {
            ScoreError::NoAgency => ApiError::of(Code::NotFound),
            ScoreError::NotScored(_) => ApiError::new(Code::NotScored, format!("{error}.")),
            ScoreError::BeforeAgency { .. } => ApiError::new(Code::BeforeAgency, format!("{error}.")),
            ScoreError::Future(_) => ApiError::new(Code::InvalidValue, format!("{error}.")),
            ScoreError::Db(error) => error.into(),
        }
    }
}

fn date(text: Option<&str>) -> Result<Option<NaiveDate>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let mut input = Input::default();
    let read = input.date("as_of", text);
    input.finish(read).map(Some)
}

fn shown(db: &mut Db, score: &score::Score) -> Result<Score, ApiError> {
    let card = score_card(db, score.card)?.ok_or_else(|| DbError::Corrupt(format!("{} has no card", score.id)))?;
    Ok(Score::of(score, &card))
}

/// Decisions, newest first: an agency's own, or any agency's for the operator.
#[utoipa::path(get, path = "/v1/scores", tag = "Settlement", operation_id = "list_scores",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<Score>)))]
pub async fn list_scores(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/scores")?;
    let (window, limit) = (request.window(), request.fetch());
    let asked: Option<AgencyId> = query.id("agency_id")?;
    let agencies = narrowed(asked, Sight::of(&caller).await?.agencies);
    let found = caller
        .read(move |db| {
            let scores = score::scores(db, agencies.as_deref(), window, limit)?;
            scores.iter().map(|score| Ok((score.id.raw(), shown(db, score)?))).collect::<Result<Vec<_>, ApiError>>()
        })
        .await?;
    Ok(page(&request.page(found, |(id, _)| *id).map(|(_, score)| score)))
}

/// The last decision about an agency, or the last one by a day.
#[utoipa::path(get, path = "/v1/scores/{agency}", tag = "Settlement", operation_id = "get_score",
    params(("agency" = String, Path, description = "Its id: `agy_…`"),
        ("as_of" = Option<String>, Query, description = "A date such as `2026-12-01`; today if not given")),
    responses((status = 200, body = Data<Score>),
        (status = 404, description = "`not_found`, `not_scored`", body = ErrorBody),
        (status = 422, description = "`invalid_value`; `before_agency`", body = ErrorBody)))]
pub async fn get_score(caller: Caller, agency: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: AgencyId = path_id(&agency)?;
    let asked = date(query.get("as_of")).map_err(|error| error.parameter("as_of"))?;
    let (today, zone, reader) = (caller.app.today(), caller.app.store.zone(), caller.clone());
    let found = caller
        .read(move |db| {
            visible_agency(&reader, db, id)?;
            let score = score_of(db, id, asked, today, zone)?;
            shown(db, &score)
        })
        .await?;
    Ok(ok(found))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayScore {
    /// Whose last decision by then is made again; today if not given.
    #[serde(default)]
    #[schema(example = "2026-12-01")]
    pub as_of: Option<String>,
}

/// Makes a decision again: from the inputs that are stored with it, and from the records as they were. Nothing is changed. The operator only.
#[utoipa::path(post, path = "/v1/scores/{agency}/actions/replay", tag = "Settlement", operation_id = "replay_score",
    request_body = Data<ReplayScore>, params(("agency" = String, Path, description = "Its id: `agy_…`")),
    responses((status = 200, body = Data<ScoreReplay>),
        (status = 404, description = "`not_found`, `not_scored`", body = ErrorBody),
        (status = 422, description = "`invalid_value`; `before_agency`", body = ErrorBody)))]
pub async fn replay(caller: Caller, agency: web::Path<String>, body: Body<ReplayScore>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let id: AgencyId = path_id(&agency)?;
    let asked = date(body.data.as_of.as_deref())?;
    let (today, zone) = (caller.app.today(), caller.app.store.zone());
    let replayed = caller.read(move |db| score::replay(db, id, asked, today, zone)).await?;
    let difference = |(name, stored, from_records)| ScoreDifference { name, stored, from_records };
    Ok(ok(ScoreReplay {
        from_inputs: ReplayedScore::of(&replayed.assessment, replayed.inputs_agree()),
        from_records: ReplayedScore::of(&replayed.from_records, replayed.records_agree()),
        differences: replayed.score.inputs.differences(&replayed.inputs).into_iter().map(difference).collect(),
        score: Score::of(&replayed.score, &replayed.card),
    }))
}

/// What is thought of agencies, and what is too much too quickly.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/score_cards").route(get().to(score_cards::list_score_cards)).route(post().to(score_cards::adopt)))
        .service(resource("/v1/scores").route(get().to(list_scores)))
        .service(resource("/v1/scores/{agency}").route(get().to(get_score)))
        .service(resource("/v1/scores/{agency}/actions/replay").route(post().to(replay)))
        .service(
            resource("/v1/financial_reviews")
                .route(get().to(financial_reviews::list_financial_reviews))
                .route(post().to(financial_reviews::record)),
        )
        .service(resource("/v1/velocity_rules").route(get().to(velocity::list_velocity_rules)).route(post().to(velocity::adopt)))
        .service(resource("/v1/velocity_hits").route(get().to(velocity::list_velocity_hits)));
}
