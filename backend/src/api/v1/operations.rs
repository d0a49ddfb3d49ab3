//! `/v1/operations/{id}`: what became of an order whose answer was "not known yet".

use super::sight::not_found;
use crate::api::caller::Caller;
use crate::api::envelope::{Data, ok};
use crate::api::error::{ApiError, ErrorItem};
use crate::api::query::path_id;
use crate::api::rejections::refusal;
use crate::identity::{Scope, claim};
use crate::ids::{Id, OperationId, OrderId};
use crate::ticketing::Refusal;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// The order exists.
    Succeeded,
    /// It was refused and the key keeps the refusal.
    Refused,
    /// Nothing of it is in the database. It may be sent again.
    NothingHappened,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Operation {
    #[schema(example = "opn_0000000000001")]
    pub id: String,
    pub status: OperationStatus,
    /// Of one that succeeded.
    pub order_id: Option<String>,
    /// Of one that was refused.
    #[schema(value_type = Option<Object>)]
    pub error: Option<ErrorItem>,
}

/// What became of an order whose outcome was not known when it was answered. An operation of another organisation looks like one of which
/// nothing is there.
#[utoipa::path(get, path = "/v1/operations/{id}", tag = "Orders", operation_id = "get_operation",
    params(("id" = String, Path, description = "`opn_…`, from the answer 202")), responses((status = 200, body = Data<Operation>)))]
pub async fn get_operation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OperationId = path_id(&id)?;
    let row = caller.read(move |db| claim(db, id.raw())).await?;
    let row = row.filter(|row| row.organisation_id == caller.key.organisation.raw());
    let shown = |status, order_id, error| Operation { id: id.to_string(), status, order_id, error };
    let Some(row) = row else { return Ok(ok(shown(OperationStatus::NothingHappened, None, None))) };
    if let Some(order) = row.resource_id {
        return Ok(ok(shown(OperationStatus::Succeeded, Some(OrderId::of(order).to_string()), None)));
    }
    // The key of another write keeps its answer in a form of its own and is no order.
    let refused: Option<Refusal> = row.outcome.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let refused = refused.ok_or_else(not_found)?;
    let error = refusal(&refused).body(&caller.request_id, "").errors.pop();
    Ok(ok(shown(OperationStatus::Refused, None, error)))
}
