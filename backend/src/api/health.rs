//! For those who run the server: is it alive, can it work, what does it measure.

use super::caller::blocking;
use super::error::ApiError;
use crate::app::Platform;
use crate::db::{DbError, setting};
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};
use serde_json::json;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/livez").route(web::get().to(livez)))
        .service(web::resource("/readyz").route(web::get().to(readyz)))
        .service(web::resource("/metrics").route(web::get().to(metrics)));
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "data": { "status": "ok" } }))
}

/// Both databases answer.
async fn readyz(platform: web::Data<Platform>) -> Result<HttpResponse, ApiError> {
    for app in platform.apps() {
        let store = app.store.clone();
        blocking(move || store.read(|db| Ok::<_, DbError>(setting(db, "database_id")?.is_some()))).await?;
    }
    Ok(HttpResponse::Ok().json(json!({ "data": { "status": "ready" } })))
}

/// The live mode's metrics; test mode's are no business figures.
async fn metrics(platform: web::Data<Platform>) -> Result<HttpResponse, ApiError> {
    let text = platform.live.metrics.text().map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}
