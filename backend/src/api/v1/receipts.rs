//! Itinerary receipts, as PDF: `/v1/orders/{id}/receipt` and `/v1/tickets/{number}/receipt`.

use super::sight::not_found;
use crate::airlines::TicketNumber;
use crate::api::caller::{Caller, blocking};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::query::path_id;
use crate::app::App;
use crate::db::Db;
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, OrderId};
use crate::interchange::pdf::Face;
use crate::ordering::order;
use crate::ticketing::{Receipt, ReceiptError, order_receipt, print_receipt, ticket_by_number, ticket_receipt};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

/// Whether the order with this agency is the caller's to see.
fn sees(visible: Option<&[AgencyId]>, agency: i64) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == agency))
}

/// The itinerary receipt (行程单) of an order: a page for each of its tickets, in Chinese and English, marked as no tax invoice. A ticket that was voided,
/// refunded or exchanged is there and says so. The same state of the tickets is the same file, to the byte.
#[utoipa::path(get, path = "/v1/orders/{id}/receipt", tag = "Tickets", operation_id = "get_order_receipt",
    params(("id" = String, Path, description = "`ord_…`")),
    responses((status = 200, description = "The file; `ETag` is its SHA-256", body = String, content_type = "application/pdf"),
        (status = 409, description = "`invalid_state`: it has no tickets", body = ErrorBody)))]
pub async fn get_order_receipt(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderId = path_id(&id)?;
    let visible = caller.visible_agencies().await?;
    printed(&caller, move |app, db| {
        order(db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
        order_receipt(db, &app.catalogue, &app.vault, id)?.ok_or_else(not_found)
    })
    .await
}

/// The itinerary receipt of one ticket.
#[utoipa::path(get, path = "/v1/tickets/{number}/receipt", tag = "Tickets", operation_id = "get_ticket_receipt",
    params(("number" = String, Path, description = "Any number of the ticket: 13 digits, with or without a hyphen behind the third")),
    responses((status = 200, description = "The file; `ETag` is its SHA-256", body = String, content_type = "application/pdf")))]
pub async fn get_ticket_receipt(caller: Caller, number: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let number = TicketNumber::parse(&number).ok_or_else(not_found)?;
    let visible = caller.visible_agencies().await?;
    printed(&caller, move |app, db| {
        let row = ticket_by_number(db, &number)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
        Ok(ticket_receipt(db, &app.catalogue, &app.vault, &row)?)
    })
    .await
}

/// Read from one state of the database, and printed afterwards.
async fn printed(
    caller: &Caller,
    read: impl FnOnce(&App, &mut Db) -> Result<Receipt, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let app = caller.app.clone();
    let (name, bytes) = blocking(move || {
        let receipt = app.store.snapshot(|db| read(&app, db))?;
        let face = Face::built_in().map_err(ReceiptError::from)?;
        Ok::<_, ApiError>((receipt.file_name(), print_receipt(&receipt, &face)?))
    })
    .await?;
    let digest = hex::encode(Sha256::digest(&bytes));
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        .insert_header((ETAG, format!("\"{digest}\"")))
        // It names people: no cache keeps it.
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(bytes))
}
