//! The layer that notes every authenticated request for the request log.

use super::caller::{Identified, identify};
use super::error::ApiError;
use super::once::IDEMPOTENCY_KEY;
use super::request_id::RequestId;
use crate::audit::RequestLine;
use crate::ids::Id;
use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use std::time::Instant;

/// Notes what was asked and how it was answered; the line is written later and never waited for.
pub async fn note<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let begun = Instant::now();
    let response = next.call(request).await?;
    let (request, answer) = (response.request(), response.response());
    let mut identified = request.extensions().get::<Identified>().cloned();
    if identified.is_none() && answer.status().is_client_error() && request.headers().contains_key(AUTHORIZATION) {
        // A body that cannot be read is refused before its key was looked up; its sender wants to find it too.
        identified = identify(request).await.ok().map(|caller| Identified::from(&caller));
    }
    // Who has no valid key belongs to nobody.
    let Some(Identified { app, by, organisation }) = identified else { return Ok(response) };
    let sent_key = request.headers().get(IDEMPOTENCY_KEY).map(|value| app.vault.digest(value.as_bytes()));
    let error = answer.error().and_then(|error| error.as_error::<ApiError>());
    app.requests.push(RequestLine {
        id: app.store.ids().block(1),
        organisation_id: organisation.raw(),
        key_id: by.stored(),
        at: app.now().naive(),
        method: request.method().as_str().to_owned(),
        path: request.match_pattern().unwrap_or_default(),
        status: i64::from(answer.status().as_u16()),
        error_code: error.map(|error| error.code().text().to_owned()),
        latency_us: i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX),
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        idempotency_digest: sent_key,
    });
    Ok(response)
}
