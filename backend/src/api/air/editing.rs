//! Updates of an order and of its passengers.

use super::create_order::{Gender, Title, metadata};
use super::documents::{CreateDocument, documents};
use super::issued::{Afterwards, shown_order, shown_passenger, travel_dates};
use super::names::CatalogueNames;
use super::order::{Order, OrderPassenger};
use super::passenger::{TravelDates, check_email, check_name, check_phone};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data};
use crate::api::error::{ApiError, ErrorBody, Item, Problems};
use crate::api::once::{Key, once};
use crate::api::query::path_id;
use crate::db::Db;
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, OrderId, PassengerId};
use crate::ordering::{PersonEdit, order};
use crate::ticketing::{IssuedOrder, issued_orders, update_metadata, update_passenger};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Fields that are not listed are ignored: other platforms take more.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct UpdateOrder {
    /// In the place of the metadata that the order has.
    #[schema(value_type = Object)]
    pub metadata: Option<BTreeMap<String, Value>>,
    /// The same one level down, as Duffel's client for JavaScript sends it.
    pub options: Option<UpdateOptions>,
    /// Accepted and not used.
    #[schema(value_type = Option<Vec<String>>)]
    pub users: Option<Value>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = UpdateOrderOptions)]
pub struct UpdateOptions {
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
}

/// What is absent or null stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePassenger {
    /// Only before the ticket is issued.
    pub title: Option<Title>,
    /// Only before the ticket is issued.
    pub gender: Option<Gender>,
    /// Freely before the ticket is issued; afterwards as many letters as the carrier's rule allows.
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: Option<String>,
    /// E.164.
    #[schema(example = "+8613800138000")]
    pub phone_number: Option<String>,
    /// In the place of all documents that are on file; one of a kind.
    pub identity_documents: Option<Vec<CreateDocument>>,
}

fn visible_order(db: &mut Db, visible: Option<&[AgencyId]>, id: OrderId) -> Result<IssuedOrder, ApiError> {
    let seen = order(db, id)?.filter(|row| visible.is_none_or(|own| own.iter().any(|id| id.raw() == row.agency_id)));
    issued_orders(db, seen.into_iter().collect())?.pop().ok_or_else(|| ApiError::of(Code::NotFound))
}

/// Updates an order's metadata. Its passengers have an address of their own, `/air/orders/{id}/passengers/{passenger_id}`.
#[utoipa::path(patch, path = "/air/orders/{id}", tag = "Orders", operation_id = "update_order",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<UpdateOrder>,
    responses((status = 200, body = Data<Order>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`payment_window_closed`", body = ErrorBody)))]
pub async fn update_order(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<UpdateOrder>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: OrderId = path_id(&id)?;
    let mut problems = Problems::default();
    let UpdateOrder { metadata: given, options, .. } = body.data;
    let given = given.or_else(|| options.map(|options| options.metadata));
    let given = given.ok_or_else(|| ApiError::of(Code::MissingField).at("/data/metadata"))?;
    let kept = metadata(Some(&given), "/data/metadata", &mut problems);
    problems.finish()?;
    let kept = serde_json::to_string(&kept).map_err(ApiError::internal)?;
    let visible = caller.visible_agencies().await?;
    let (cause, app) = (caller.cause(), caller.app.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        visible_order(tx.db, visible.as_deref(), id)?;
        update_metadata(tx, &cause, id, &kept)?;
        let issued = visible_order(tx.db, visible.as_deref(), id)?;
        let after = Afterwards::read(&app, tx.db, &issued)?;
        shown_order(&app, &issued, after, names.get_ref())
    })
    .await
}

/// Corrects a passenger. This address is ours: other platforms have none for it. Before the tickets are issued everything but the date of birth, which
/// the price depends on; afterwards contacts, documents, and slips of the pen in a name, as many letters as the carrier's rule allows, while every
/// coupon is open. The corrected data are sealed under a new key, and the key that opened the old ones is gone.
#[utoipa::path(patch, path = "/air/orders/{id}/passengers/{passenger_id}", tag = "Orders", operation_id = "update_order_passenger",
    params(("id" = String, Path), ("passenger_id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<UpdatePassenger>,
    responses((status = 200, body = Data<OrderPassenger>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`, `invalid_state`: the passenger's data were erased", body = ErrorBody),
        (status = 422, description = "`name_change_not_allowed`, `title_not_changeable`, `coupon_not_open`, `invalid_passenger`, `payment_window_closed`",
            body = ErrorBody)))]
pub async fn update_order_passenger(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: Body<UpdatePassenger>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let (id, passenger) = path.into_inner();
    let (id, passenger): (OrderId, PassengerId) = (path_id(&id)?, path_id(&passenger)?);
    let visible = caller.visible_agencies().await?;
    let (cause, app, update) = (caller.cause(), caller.app.clone(), body.data);
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let travel = travel_dates(&visible_order(tx.db, visible.as_deref(), id)?)?;
        let edit = update.validate(travel)?;
        update_passenger(tx, (&app.catalogue, &app.vault), &cause, id, passenger, &edit)?;
        let issued = visible_order(tx.db, visible.as_deref(), id)?;
        shown_passenger(&app, &issued, passenger)
    })
    .await
}

impl UpdatePassenger {
    fn validate(&self, travel: TravelDates) -> Result<PersonEdit, ApiError> {
        let mut problems = Problems::default();
        for (field, value, check) in [
            ("given_name", &self.given_name, check_name as fn(&str) -> Result<(), String>),
            ("family_name", &self.family_name, check_name),
            ("email", &self.email, check_email),
            ("phone_number", &self.phone_number, check_phone),
        ] {
            let checked = value.as_deref().map_or(Ok(()), check);
            let at = format!("/data/{field}");
            problems.check(checked.map_err(|message| Item::new(Code::InvalidPassenger, message).at(at)));
        }
        // Whether a number fits the date of birth is checked where that is opened.
        let given = self.identity_documents.as_deref();
        let documents = given.map(|bodies| documents(bodies, "/data/identity_documents", None, travel, &mut problems));
        problems.finish()?;
        Ok(PersonEdit {
            title: self.title.map(Into::into),
            gender: self.gender.map(Into::into),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
            documents,
        })
    }
}
