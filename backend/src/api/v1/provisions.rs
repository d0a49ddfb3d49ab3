//! `/v1/provisions`: what agencies are expected never to pay, as it is booked.

use super::shape::{PageParams, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::envelope::{Page, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::identity::Scope;
use crate::ids::{AgencyId, Id};
use crate::settlement::{self, provisions};
use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The allowance of an agency brought up or down to what is expected. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Provision {
    #[schema(example = "prv_0000000000001")]
    pub id: String,
    pub agency_id: String,
    /// The day whose close it is, or on which something was written off.
    pub day: String,
    #[schema(example = "970.00")]
    pub exposure_amount: String,
    /// A factor: `expected_loss_rate` of the contract.
    pub rate: String,
    /// What is held for losses after it.
    pub allowance_amount: String,
    /// Negative where less is expected than before.
    pub booked_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Null where nothing changed.
    pub posting_id: Option<String>,
    pub created_at: String,
}

impl From<settlement::Provision> for Provision {
    fn from(provision: settlement::Provision) -> Self {
        Provision {
            id: provision.id.to_string(),
            agency_id: provision.agency.to_string(),
            day: provision.day.to_string(),
            exposure_amount: provision.exposure.to_string(),
            rate: provision.rate,
            allowance_amount: provision.allowance.to_string(),
            booked_amount: provision.booked.to_string(),
            currency: provision.booked.currency.to_string(),
            posting_id: provision.posting.map(|id| id.to_string()),
            created_at: time(provision.created_at),
        }
    }
}

/// Provisions, newest first: of one agency, or of all. The operator only.
#[utoipa::path(get, path = "/v1/provisions", tag = "Settlement", operation_id = "list_provisions",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<Provision>)))]
pub async fn list_provisions(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/provisions")?;
    let (window, limit) = (request.window(), request.fetch());
    let agency: Option<AgencyId> = query.id("agency_id")?;
    let found = caller.read(move |db| provisions(db, agency, window, limit)).await?;
    Ok(page(&request.page(found, |provision| provision.id.raw()).map(Provision::from)))
}
