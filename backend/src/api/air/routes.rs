//! The addresses of the distribution part: at the origin's root, because existing clients resolve absolute paths.

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

/// The operations of the distribution part.
#[derive(OpenApi)]
#[openapi()]
pub struct AirDescription;

pub fn configure(_config: &mut ServiceConfig) {}
