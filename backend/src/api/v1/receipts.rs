//! Itinerary receipts, as PDF: `/v1/orders/{id}/receipt` and `/v1/tickets/{number}/receipt`.

use super::input::Input;
use super::shape::time;
use super::sight::not_found;
use crate::airlines::TicketNumber;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::query::path_id;
use crate::app::App;
use crate::audit;
use crate::db::{Db, lock_word};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, LetterId, OrderId};
use crate::interchange::pdf::Face;
use crate::notify::{Enclosure, Language, LetterRow, is_address, letters_with, queue_letter};
use crate::ordering::order;
use crate::ticketing::{Receipt, ReceiptError, order_receipt, print_receipt, receipt_letter, ticket_by_number, ticket_receipt};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// How often the receipt of one order is sent within a day.
const MOST_A_DAY: i64 = 20;

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

/// A receipt that was sent by e-mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptEmail {
    #[schema(example = "ltr_0000000000001")]
    pub id: String,
    pub order_id: String,
    pub email: String,
    /// `zh-CN` or `en`.
    pub language: Option<String>,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Why the last try did not succeed.
    pub error: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    pub sent_at: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendReceipt {
    #[schema(example = "wei@example.com")]
    pub email: String,
    /// `zh-CN` or `en`: of the e-mail; the receipt is in both. That of the person who sends it, where it is left out, and else `zh-CN`.
    pub language: Option<String>,
}

fn shown(row: LetterRow, order: OrderId) -> ReceiptEmail {
    ReceiptEmail {
        id: LetterId::of(row.id).to_string(),
        order_id: order.to_string(),
        email: row.recipient,
        language: row.language,
        state: row.state,
        error: row.error,
        created_at: time(row.created_at),
        sent_at: row.sent_at.map(time),
    }
}

/// Sends the receipt of an order by e-mail, with the file as it is when the e-mail leaves. Twenty times a day for one order at most.
#[utoipa::path(post, path = "/v1/orders/{id}/receipt_emails", tag = "Tickets", operation_id = "send_order_receipt",
    params(("id" = String, Path, description = "`ord_…`")),
    request_body = Data<SendReceipt>,
    responses((status = 201, body = Data<ReceiptEmail>),
        (status = 409, description = "`invalid_state`: it has no tickets", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody),
        (status = 429, description = "`rate_limited`: it was sent too often", body = ErrorBody)))]
pub async fn send_order_receipt(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SendReceipt>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: OrderId = path_id(&id)?;
    let mut input = Input::default();
    let email = input.text("email", &body.data.email, 254).filter(|text| is_address(text));
    if email.is_none() {
        input.fail(Code::InvalidValue, "email", "`email` is an e-mail address.");
    }
    let own = caller.signed_in.as_ref().map_or(Language::Chinese, |person| person.user.language);
    let language = body.data.language.as_deref().map_or(Some(own), Language::parse);
    if language.is_none() {
        input.fail(Code::InvalidValue, "language", "`language` is \"zh-CN\" or \"en\".");
    }
    let (email, language) = input.finish(email.zip(language))?;
    let visible = caller.visible_agencies().await?;
    let (cause, app) = (caller.cause(), caller.app.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        order(tx.db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
        // Nobody writes to strangers by the hundred with it.
        lock_word(tx, &format!("receipt {id}"))?;
        let recent = letters_with(tx.db, Enclosure::OrderReceipt(id), MOST_A_DAY)?;
        let yesterday = tx.now.plus(-Duration::days(1)).naive();
        if i64::try_from(recent.iter().filter(|row| row.created_at > yesterday).count()).unwrap_or(i64::MAX) >= MOST_A_DAY {
            return Err(
                ApiError::new(Code::RateLimited, "The receipt of this order was sent too often today.").retry_after(3_600)
            );
        }
        let receipt = order_receipt(tx.db, &app.catalogue, &app.vault, id)?.ok_or_else(not_found)?;
        let queued = queue_letter(tx, &*app.vault, receipt_letter(language, &email, id, &receipt))?;
        audit::record(tx, &cause, "receipt.send", id)?;
        Ok(shown(queued, id))
    })
    .await
}

/// To whom the receipt of an order was sent, newest first: the latest hundred.
#[utoipa::path(get, path = "/v1/orders/{id}/receipt_emails", tag = "Tickets", operation_id = "list_receipt_emails",
    params(("id" = String, Path, description = "`ord_…`")), responses((status = 200, body = Data<Vec<ReceiptEmail>>)))]
pub async fn list_receipt_emails(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderId = path_id(&id)?;
    let visible = caller.visible_agencies().await?;
    let found = caller
        .read(move |db| {
            order(db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
            Ok::<_, ApiError>(letters_with(db, Enclosure::OrderReceipt(id), 100)?)
        })
        .await?;
    Ok(ok(found.into_iter().map(|row| shown(row, id)).collect::<Vec<_>>()))
}
