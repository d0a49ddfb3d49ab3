//! `PATCH /air/offers/{id}/passengers/{id}`: what a client may say about a passenger before it orders.

use super::offer::{OfferPassenger, offer_passengers};
use super::passenger::check_name;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody, Problems};
use crate::api::query::path_id;
use crate::identity::Scope;
use crate::ids::{OfferId, PassengerId};
use crate::shopping::search_of_offer;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct UpdateOfferPassenger {
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    /// No loyalty programme is supported (`supported_loyalty_programmes` is empty): accepted and ignored.
    #[schema(value_type = Option<Vec<Object>>)]
    pub loyalty_programme_accounts: Option<Value>,
}

impl UpdateOfferPassenger {
    fn validate(&self) -> Result<(), ApiError> {
        let mut problems = Problems::default();
        for (field, name) in [("given_name", &self.given_name), ("family_name", &self.family_name)] {
            if let Some(Err(message)) = name.as_deref().map(check_name) {
                problems.add(Code::InvalidPassenger, format!("/data/{field}"), message);
            }
        }
        problems.finish()
    }
}

/// Checks what is said about a passenger of an offer and answers it back. Nothing of it changes the price, so nothing is kept: names are given with
/// the order, under lock, and no loyalty programme is supported.
#[utoipa::path(patch, path = "/air/offers/{id}/passengers/{passenger_id}", tag = "Search", operation_id = "update_offer_passenger",
    params(("id" = String, Path), ("passenger_id" = String, Path)), request_body = Data<UpdateOfferPassenger>,
    responses((status = 200, body = Data<OfferPassenger>), (status = 404, description = "`offer_not_found`", body = ErrorBody),
        (status = 422, description = "`invalid_passenger`", body = ErrorBody)))]
pub async fn update_offer_passenger(
    caller: Caller,
    path: web::Path<(String, String)>,
    body: Body<UpdateOfferPassenger>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let (offer, passenger) = path.into_inner();
    let (id, passenger): (OfferId, PassengerId) = (path_id(&offer)?, path_id(&passenger)?);
    body.data.validate()?;
    let agency = caller.selling_agency().await?;
    let found = caller.read(move |db| search_of_offer(db, id)).await?.filter(|search| search.agency == agency.id);
    let search = found.ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let offer = search.offer(id).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let mut passengers = offer_passengers(offer, search.id);
    let at = passengers.iter().position(|known| known.id == passenger.to_string());
    let known = at.map(|at| passengers.swap_remove(at)).ok_or_else(|| ApiError::of(Code::NotFound))?;
    let UpdateOfferPassenger { given_name, family_name, .. } = body.data;
    Ok(ok(OfferPassenger { given_name, family_name, ..known }))
}
