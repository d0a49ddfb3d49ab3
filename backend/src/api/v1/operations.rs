//! `/v1/operations/{id}`: what became of an order or another write whose answer was "not known yet".

use super::sight::require_one;
use crate::api::caller::Caller;
use crate::api::envelope::{Data, accepted, ok};
use crate::api::error::ApiError;
use crate::api::query::path_id;
use crate::api::rejections::refusal;
use crate::identity::{ClaimRow, Fate, Scope, fate};
use crate::ids::{Id, OperationId, OrderId};
use crate::ticketing::Refusal;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, to_value};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// It is not known yet: read it again.
    Pending,
    /// The order exists, or the write took effect.
    Succeeded,
    /// It was refused and the key keeps the refusal.
    Refused,
    /// Nothing of it is in the database, and nothing of it will be. It may be sent again.
    NothingHappened,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Operation {
    #[schema(example = "opn_0000000000001")]
    pub id: String,
    pub status: OperationStatus,
    /// Of an order that succeeded. What another write made is read where it is listed, or by repeating the write with its `Idempotency-Key`.
    pub order_id: Option<String>,
    /// Of one that was refused.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
}

/// The answer 202 to a write whose outcome is not known yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PendingOperation {
    #[schema(example = "opn_0000000000001")]
    pub id: String,
    /// Always `pending`.
    pub status: OperationStatus,
    /// Where to read what became of it.
    pub url: String,
}

/// Do not send it again under another key: read the operation.
pub fn pending(claim: i64) -> HttpResponse {
    let id = OperationId::of(claim).to_string();
    let url = format!("/v1/operations/{id}");
    accepted(PendingOperation { id, status: OperationStatus::Pending, url })
}

/// What became of a write whose outcome was not known when it was answered. An operation of another organisation looks like one of which
/// nothing is there.
#[utoipa::path(get, path = "/v1/operations/{id}", tag = "Orders", operation_id = "get_operation",
    params(("id" = String, Path, description = "`opn_…`, from the answer 202")), responses((status = 200, body = Data<Operation>)))]
pub async fn get_operation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirRead, Scope::AirWrite, Scope::FinanceWrite, Scope::PartiesWrite, Scope::KeysWrite])?;
    let id: OperationId = path_id(&id)?;
    let organisation = caller.key.organisation.raw();
    let fate = caller.read(move |db| fate(db, id.raw(), organisation)).await?;
    let shown = |status, order_id, error| ok(Operation { id: id.to_string(), status, order_id, error });
    Ok(match fate {
        Fate::Open => shown(OperationStatus::Pending, None, None),
        Fate::Nothing => shown(OperationStatus::NothingHappened, None, None),
        Fate::Committed(row) => match (row.resource_id, refused(&row, &caller.request_id)?) {
            (Some(order), _) => shown(OperationStatus::Succeeded, Some(OrderId::of(order).to_string()), None),
            (None, Some(error)) => shown(OperationStatus::Refused, None, Some(error)),
            (None, None) => shown(OperationStatus::Succeeded, None, None),
        },
    })
}

/// Why it was refused, if it was. Only what is no order keeps the status of its answer.
fn refused(row: &ClaimRow, request_id: &str) -> Result<Option<Value>, ApiError> {
    let Some(outcome) = row.outcome.as_deref() else { return Ok(None) };
    if row.status.is_some() {
        let kept: Value = serde_json::from_str(outcome).map_err(ApiError::internal)?;
        return Ok(kept.pointer("/body/errors/0").cloned());
    }
    let reason: Refusal = serde_json::from_str(outcome).map_err(ApiError::internal)?;
    let error = refusal(&reason).body(request_id, "").errors.pop();
    error.map(to_value).transpose().map_err(ApiError::internal)
}
