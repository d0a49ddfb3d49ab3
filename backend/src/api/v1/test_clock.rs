//! `/v1/test_clock`: the time of test mode, which only goes forward.

use super::input::Input;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::audit;
use crate::clock::ClockError;
use crate::identity::{KeyMode, Scope};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestClock {
    /// RFC 3339, UTC. It runs on from what it was set to.
    #[schema(example = "2026-11-01T08:00:00.000000Z")]
    pub now: String,
    /// The calendar date on which commits are booked, in the operator's zone.
    #[schema(example = "2026-11-01")]
    pub ledger_date: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTestClock {
    /// RFC 3339, not before the clock's own time.
    #[schema(example = "2026-11-01T08:00:00Z")]
    pub now: String,
}

fn require_test_mode(caller: &Caller) -> Result<(), ApiError> {
    match caller.app.mode {
        KeyMode::Test => Ok(()),
        KeyMode::Live => Err(ApiError::of(Code::TestModeOnly)),
    }
}

fn shown(caller: &Caller) -> TestClock {
    let now = caller.app.now();
    TestClock { now: now.to_string(), ledger_date: now.date_in(caller.app.store.zone()).to_string() }
}

/// Where the test clock stands.
#[utoipa::path(get, path = "/v1/test_clock", tag = "Test mode", operation_id = "get_test_clock",
    responses((status = 200, body = Data<TestClock>), (status = 403, description = "`test_mode_only`, `insufficient_scope`", body = ErrorBody)))]
pub async fn get_test_clock(caller: Caller) -> Result<HttpResponse, ApiError> {
    require_test_mode(&caller)?;
    caller.require(Scope::ClockWrite)?;
    Ok(ok(shown(&caller)))
}

/// Moves the test clock forward. It belongs to the whole of test mode and is remembered over a restart.
#[utoipa::path(post, path = "/v1/test_clock", tag = "Test mode", operation_id = "set_test_clock", request_body = Data<SetTestClock>,
    responses((status = 200, body = Data<TestClock>),
        (status = 403, description = "`test_mode_only`, `insufficient_scope`", body = ErrorBody),
        (status = 422, description = "`clock_backwards`, `invalid_value`", body = ErrorBody)))]
pub async fn set_test_clock(caller: Caller, request: HttpRequest, body: Body<SetTestClock>) -> Result<HttpResponse, ApiError> {
    require_test_mode(&caller)?;
    caller.require(Scope::ClockWrite)?;
    let mut input = Input::default();
    let target = input.time("now", &body.data.now);
    let target = input.finish(target)?;
    let (cause, mover) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        mover.app.move_clock(tx, target)?.map_err(|refused| match refused {
            ClockError::NotSettable => ApiError::of(Code::NotSettableClock),
            ClockError::Backwards(now) => {
                ApiError::new(Code::ClockBackwards, format!("The test clock stands at {now}.")).at("/data/now")
            }
        })?;
        audit::record(tx, &cause, "test_clock.set", cause.actor.organisation)?;
        Ok(shown(&mover))
    })
    .await
}
