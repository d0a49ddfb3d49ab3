//! `/v1/bank_callbacks/{live|test}`: where the bank reports outcomes by itself. It has no key: it signs what it sends.

use crate::api::caller::blocking;
use crate::api::code::Code;
use crate::api::error::{ApiError, ErrorBody};
use crate::app::{CALLBACK_BYTES, CALLBACK_SIGNATURE, CallbackRefusal, Heard, Platform};
use crate::identity::KeyMode;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of a notification.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackReceipt {
    pub event_id: String,
    /// True: it is about a payment of ours and booked, by this delivery or an earlier one. False: it is about nothing that was ever ordered here.
    pub ours: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallbackAnswer {
    pub data: CallbackReceipt,
}

async fn collect(mut payload: Payload) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::InvalidJson, "The body ended before it was complete."))?;
        if bytes.len() + chunk.len() > CALLBACK_BYTES {
            return Err(ApiError::new(Code::BodyTooLarge, format!("The body is larger than {CALLBACK_BYTES} bytes.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Takes a bank's signed notification about a payment. The same one again, or one that comes late, changes nothing and is answered the same.
#[utoipa::path(post, path = "/v1/bank_callbacks/{mode}", tag = "Settlement", operation_id = "receive_bank_callback", security(()),
    params(("mode" = String, Path, description = "`live` or `test`"),
        ("x-bank-signature" = String, Header, description = "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<unix seconds>.<body>`, at most five minutes old")),
    request_body(content = String, content_type = "application/json", description = "`event_id`, `reference`, `status` and what belongs to it; 16 KiB at most"),
    responses((status = 200, body = CallbackAnswer), (status = 401, description = "`unauthenticated`: no signature, a wrong one, or one that is too old", body = ErrorBody),
        (status = 413, description = "`body_too_large`", body = ErrorBody), (status = 422, description = "`invalid_value`: signed, but not readable", body = ErrorBody)))]
pub async fn receive(
    platform: web::Data<Platform>,
    request: HttpRequest,
    mode: web::Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let mode = match mode.as_str() {
        "live" => KeyMode::Live,
        "test" => KeyMode::Test,
        _ => return Err(ApiError::of(Code::NotFound)),
    };
    let app = platform.app(mode).clone();
    let signature = request.headers().get(CALLBACK_SIGNATURE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let unsigned = || ApiError::new(Code::Unauthenticated, "The notification is not signed.");
    let signature = signature.ok_or_else(unsigned)?;
    let body = collect(payload).await?;
    let heard = blocking(move || app.hear_bank(&signature, &body)).await?;
    let (event_id, ours) = match heard {
        Heard::Booked { event_id } => (event_id, true),
        Heard::NotOurs { event_id } => (event_id, false),
    };
    Ok(HttpResponse::Ok().json(CallbackAnswer { data: CallbackReceipt { event_id, ours } }))
}

impl From<CallbackRefusal> for ApiError {
    fn from(error: CallbackRefusal) -> Self {
        match error {
            CallbackRefusal::Signature(error) => ApiError::new(Code::Unauthenticated, format!("{error}.")),
            CallbackRefusal::Unreadable(why) => ApiError::new(Code::InvalidValue, format!("{why}.")),
            CallbackRefusal::Booking(error) => error.into(),
        }
    }
}
