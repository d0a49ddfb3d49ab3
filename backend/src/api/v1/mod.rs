//! The settlement part: everything under `/v1`.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

/// The operations under `/v1`.
#[derive(OpenApi)]
#[openapi()]
pub struct V1Description;

pub fn configure(_config: &mut ServiceConfig) {}
