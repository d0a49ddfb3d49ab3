//! `/v1/approvals`: what two people have to agree on. One key or person of the operator asks, another one agrees, and then it is done.

use super::contracts::SignContract;
use super::defaults::{Reinstate, WriteOff};
use super::facilities::RaiseFacilityLimit;
use super::input::Input;
use super::memos::DecideMemo;
use super::shape::{PageParams, by_key, by_user, choice};
use super::sight::{not_found, require_operator};
use crate::airlines::ChangePayee;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::desk::platform_of;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::fields;
use crate::api::once::{Key, once, once_with};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::approvals::{self, ApprovalFilter, ApprovalStatus, ChangeKind, Proposal, Requested, approval};
use crate::audit::Cause;
use crate::clock::Timestamp;
use crate::credit::{RaiseLimit, Unfreeze};
use crate::db::WriteTx;
use crate::identity::{Scope, tell_of_decision, tell_of_request};
use crate::ids::{AgencyId, ApprovalId, Id};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

choice! {
    /// What is asked for.
    ApprovalKind = ChangeKind { ChangePayee, MemoDecision, NegativeMargin, Reinstate, SetFacilityLimit, TemporaryLimit, Unfreeze, WriteOff }
}
choice! {
    /// Only a pending request is decided. What was superseded was asked for again.
    Decision = ApprovalStatus { Pending, Approved, Rejected, Superseded, Expired }
}

/// Which change is of which kind: the only place that knows. `$change` is the type within `$does`.
macro_rules! of_kind {
    ($kind:expr, $change:ident => $does:expr) => {
        match $kind {
            ChangeKind::ChangePayee => {
                type $change = ChangePayee;
                $does
            }
            ChangeKind::MemoDecision => {
                type $change = DecideMemo;
                $does
            }
            ChangeKind::NegativeMargin => {
                type $change = SignContract;
                $does
            }
            ChangeKind::Reinstate => {
                type $change = Reinstate;
                $does
            }
            ChangeKind::SetFacilityLimit => {
                type $change = RaiseFacilityLimit;
                $does
            }
            ChangeKind::TemporaryLimit => {
                type $change = RaiseLimit;
                $does
            }
            ChangeKind::Unfreeze => {
                type $change = Unfreeze;
                $does
            }
            ChangeKind::WriteOff => {
                type $change = WriteOff;
                $does
            }
        }
    };
}

/// What the key that asks for it needs.
fn scope_of(kind: ChangeKind) -> Scope {
    match kind {
        ChangeKind::ChangePayee | ChangeKind::NegativeMargin => Scope::PartiesWrite,
        ChangeKind::Reinstate | ChangeKind::TemporaryLimit | ChangeKind::Unfreeze => Scope::RiskWrite,
        ChangeKind::MemoDecision => Scope::MemosWrite,
        ChangeKind::SetFacilityLimit | ChangeKind::WriteOff => Scope::FinanceWrite,
    }
}

/// A request for a change, with its decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Approval {
    #[schema(example = "apr_0000000000001")]
    pub id: String,
    pub kind: ApprovalKind,
    /// What is changed: an id.
    #[schema(example = "agy_0000000000001")]
    pub subject: String,
    /// Exactly what will be done, in the fields of its kind.
    #[schema(value_type = Object)]
    pub change: Value,
    /// Hexadecimal SHA-256 of the change and of the state that it was asked for in.
    pub digest: String,
    pub reason: String,
    pub status: Decision,
    /// Null: a person did.
    pub requested_by_key_id: Option<String>,
    /// Null: a key did.
    pub requested_by_user_id: Option<String>,
    /// RFC 3339, UTC.
    pub requested_at: String,
    /// Not decided by then, it has to be asked for again.
    pub expires_at: String,
    pub decided_by_key_id: Option<String>,
    pub decided_by_user_id: Option<String>,
    pub decided_at: Option<String>,
    /// Why it was rejected.
    pub note: Option<String>,
    /// What was made or changed.
    pub result_id: Option<String>,
}

impl Approval {
    fn of(approval: approvals::Approval, now: Timestamp) -> Result<Self, ApiError> {
        Ok(Approval {
            id: approval.id.to_string(),
            kind: approval.kind.into(),
            change: serde_json::from_str(&approval.payload).map_err(ApiError::internal)?,
            status: approval.status_at(now).into(),
            subject: approval.subject,
            digest: hex::encode(approval.digest),
            reason: approval.reason,
            requested_by_key_id: by_key(approval.requested_by.stored()),
            requested_by_user_id: by_user(approval.requested_by.stored()),
            requested_at: approval.submitted_at.to_string(),
            expires_at: approval.expires_at.to_string(),
            decided_by_key_id: approval.decided_by.and_then(|by| by_key(by.stored())),
            decided_by_user_id: approval.decided_by.and_then(|by| by_user(by.stored())),
            decided_at: approval.decided_at.map(|at| at.to_string()),
            note: approval.note,
            result_id: approval.result,
        })
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestApproval {
    pub kind: ApprovalKind,
    /// For whoever decides: 1 to 500 characters.
    pub reason: String,
    /// What is to be done, in the fields of its kind.
    ///
    /// `change_payee`: `airline_id`, `payee_account`, `payee_name`; payments that have left keep the one that they were sent to.
    /// `memo_decision`: `memo_id`, `decision` (`uphold` with `amount` and `currency`, all of it or less, or `dismiss`).
    /// `negative_margin`: a contract, in the fields of `POST /v1/contracts`. `reinstate` (after a default that is recovered in full): `agency_id`.
    /// `set_facility_limit`: `facility_id`, `limit_amount` above the present one, `limit_currency`.
    /// `temporary_limit`: `agency_id`, `amount` that comes on top of the limit, `currency`, `effective_from` and `effective_until`, its first and last day: 92
    /// days at most. `unfreeze`: `kill_switch_id`. `write_off`: `agency_id`, `amount` and `currency`, all that is left.
    #[schema(value_type = Object)]
    pub change: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectApproval {
    /// Why not: 1 to 500 characters.
    pub note: String,
}

/// A field of the change that is wrong.
pub(in crate::api) fn wrong(field: &str, error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::InvalidValue, format!("{error}.")).at(format!("/data/change/{field}"))
}

/// The agency that a change is about.
pub(super) fn agency_of_change(text: &str) -> Result<AgencyId, ApiError> {
    AgencyId::parse(text).map_err(|error| wrong("agency_id", error))
}

/// What is wrong with a change that is also a request of its own: its fields stand below the change here.
pub(super) fn of_the_change(error: ApiError) -> ApiError {
    error.below("/data", "/data/change")
}

fn proposed<P: Proposal>(change: Map<String, Value>) -> Result<P, ApiError> {
    fields::read(Value::Object(change), "/data/change")
        .map_err(|problems| problems.into_error().unwrap_or_else(|| ApiError::internal("a change was refused without a reason")))
}

fn submit<P>(tx: &mut WriteTx, cause: &Cause, change: Map<String, Value>, reason: &str) -> Result<Requested, ApiError>
where
    P: Proposal,
    ApiError: From<P::Error>,
{
    approvals::submit::<P, ApiError>(tx, cause, &proposed(change)?, reason)
}

/// Asks for a change that two people have to agree on. It is done when another key or person of the operator agrees. The same change asked for again is the same
/// request while it waits; another change of the same object takes its place. The operator only.
#[utoipa::path(post, path = "/v1/approvals", tag = "Settlement", operation_id = "request_approval", request_body = Data<RequestApproval>,
    responses((status = 201, body = Data<Approval>),
        (status = 200, description = "The same change waits already", body = Data<Approval>),
        (status = 409, description = "`invalid_state`: the object does not allow it; `memo_clock_running`", body = ErrorBody),
        (status = 422, description = "`invalid_value`, `missing_field`, `unknown_field`", body = ErrorBody)))]
pub async fn request(caller: Caller, request: HttpRequest, body: Body<RequestApproval>) -> Result<HttpResponse, ApiError> {
    let RequestApproval { kind, reason, change } = body.data;
    let kind = ChangeKind::from(kind);
    caller.require(scope_of(kind))?;
    let mut input = Input::default();
    let reason = input.text("reason", &reason, 500);
    let reason = input.finish(reason)?;
    let (cause, vault) = (caller.cause(), caller.app.vault.clone());
    let public_url = platform_of(&request)?.public_url.clone();
    once_with(&caller, &request, Key::Accepted, &body.bytes, move |tx| {
        let requested = of_kind!(kind, Change => submit::<Change>(tx, &cause, change, &reason))?;
        if let Requested::New(approval) = &requested {
            tell_of_request(tx, &*vault, &public_url, approval)?;
        }
        let status = if matches!(requested, Requested::New(_)) { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Approval::of(requested.approval().clone(), tx.now)?))
    })
    .await
}

/// What was asked for and what became of it, newest first. The operator only.
#[utoipa::path(get, path = "/v1/approvals", tag = "Settlement", operation_id = "list_approvals",
    params(PageParams, ("status" = Option<Decision>, Query, description = "Only those in this state"),
        ("kind" = Option<ApprovalKind>, Query, description = "Only these"),
        ("subject" = Option<String>, Query, description = "Only what changes the object with this id")),
    responses((status = 200, body = Page<Approval>)))]
pub async fn list_approvals(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/approvals")?;
    let (window, limit, now) = (request.window(), request.fetch(), caller.app.now());
    let filter = ApprovalFilter {
        status: query.word("status", ApprovalStatus::parse)?,
        kind: query.word("kind", ChangeKind::parse)?,
        subject: query.get("subject").map(str::to_owned),
    };
    let found = caller.read(move |db| approvals::approvals(db, &filter, now, window, limit)).await?;
    let found = request.page(found, |approval| approval.id.raw());
    Ok(page(&found.try_map(|approval| Approval::of(approval, now))?))
}

/// One request with its decision. The operator only.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "Settlement", operation_id = "get_approval",
    params(("id" = String, Path, description = "`apr_…`")), responses((status = 200, body = Data<Approval>)))]
pub async fn get_approval(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let id: ApprovalId = path_id(&id)?;
    let found = caller.read(move |db| approval(db, id)).await?.ok_or_else(not_found)?;
    Ok(ok(Approval::of(found, caller.app.now())?))
}

/// Agrees to a change and does it in the same commit. Not by the key or person that asked for it, nor by the same person through a key or a session, nor by
/// one that was made since.
#[utoipa::path(post, path = "/v1/approvals/{id}/actions/approve", tag = "Settlement", operation_id = "approve",
    params(("id" = String, Path, description = "`apr_…`")), request_body = Data<super::keys::NoDetails>,
    responses((status = 200, body = Data<Approval>),
        (status = 403, description = "`self_approval`", body = ErrorBody),
        (status = 409, description = "`approval_decided`, `approval_expired`, `approval_stale`: the object has changed since; `invalid_state`", body = ErrorBody),
        (status = 422, description = "What the change itself is refused for: `invalid_value`", body = ErrorBody)))]
pub async fn approve(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<super::keys::NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::ApprovalsWrite)?;
    let id: ApprovalId = path_id(&id)?;
    let (cause, vault) = (caller.cause(), caller.app.vault.clone());
    let public_url = platform_of(&request)?.public_url.clone();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let kind = approval(tx.db, id)?.ok_or_else(not_found)?.kind;
        let done = of_kind!(kind, Change => approvals::approve::<Change, ApiError>(tx, &cause, id))?;
        tell_of_decision(tx, &*vault, &public_url, &done)?;
        Approval::of(done, tx.now)
    })
    .await
}

/// Refuses a change, or takes back what one has asked for oneself.
#[utoipa::path(post, path = "/v1/approvals/{id}/actions/reject", tag = "Settlement", operation_id = "reject",
    params(("id" = String, Path, description = "`apr_…`")), request_body = Data<RejectApproval>,
    responses((status = 200, body = Data<Approval>),
        (status = 409, description = "`approval_decided`, `approval_expired`", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn reject(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<RejectApproval>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::ApprovalsWrite)?;
    let id: ApprovalId = path_id(&id)?;
    let mut input = Input::default();
    let note = input.text("note", &body.data.note, 500);
    let note = input.finish(note)?;
    let (cause, vault) = (caller.cause(), caller.app.vault.clone());
    let public_url = platform_of(&request)?.public_url.clone();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let refused = approvals::reject(tx, &cause, id, &note)?;
        tell_of_decision(tx, &*vault, &public_url, &refused)?;
        Approval::of(refused, tx.now)
    })
    .await
}
