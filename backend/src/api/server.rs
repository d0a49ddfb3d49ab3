//! The server: which address belongs to which handler, and the layers around them.

use super::rate_limit::{Quota, Quotas, RateLimiter, Verdict};
use super::request_id::{self, Transport};
use super::{air, error_pages, health, openapi, portal, request_log, v1};
use crate::app::Platform;
use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, NormalizePath, from_fn};
use actix_web::{App, HttpMessage, HttpServer, web};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Per key and minute, or per network address where no key is shown. Generous: they stop a runaway client, not a busy one.
const QUOTAS: Quotas = Quotas {
    search: Quota { per_minute: 6_000, burst: 600 },
    sale: Quota { per_minute: 600_000, burst: 60_000 },
    other: Quota { per_minute: 60_000, burst: 6_000 },
    open: Quota { per_minute: 300, burst: 150 },
};

/// From a connection's first byte to the end of a request's head; later it is answered 408, unread. Longer than a node may stand still without losing
/// its locks (`db/engine.rs`), so that what arrived meanwhile is served.
const REQUEST_ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// Serves on a listener that is bound already, so that a test can take any free port.
pub fn serve(platform: Arc<Platform>, public_url: &str, listener: TcpListener) -> std::io::Result<Server> {
    let ids = platform.live.store.ids_handle();
    let transport = Arc::new(Transport { ids, public_url: public_url.to_owned() });
    actix_web::rt::spawn(end_streams(platform.clone()));
    let platform = web::Data::from(platform);
    let limiter = web::Data::new(RateLimiter::new(QUOTAS));
    let names = web::Data::new(air::names::CatalogueNames::new(&platform.live.catalogue));
    let factory = move || {
        App::new()
            .app_data(platform.clone())
            .app_data(limiter.clone())
            .app_data(names.clone())
            .configure(air::routes::configure)
            .configure(v1::configure)
            .configure(health::configure)
            .configure(openapi::configure)
            .configure(error_pages::configure)
            .default_service(web::to(portal::serve))
            .wrap(from_fn(stamp_limits))
            .wrap(from_fn(request_log::note))
            .wrap(from_fn(portal::guard))
            .wrap(NormalizePath::trim())
            .wrap(request_id::layer(transport.clone()))
    };
    let server = HttpServer::new(factory).workers(workers()).client_request_timeout(REQUEST_ARRIVES_WITHIN);
    Ok(server.listen(listener)?.shutdown_timeout(10).run())
}

/// Serves until the process is told to stop, and finishes what has begun.
pub fn run(platform: Arc<Platform>, public_url: &str, listener: TcpListener) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async move { serve(platform, public_url, listener)?.await })
}

/// A stream has no end of its own that a stop could wait for.
async fn end_streams(platform: Arc<Platform>) {
    let told = async {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
        Ok::<_, std::io::Error>(())
    };
    match told.await {
        Ok(()) => platform.apps().iter().for_each(|app| app.streams.close()),
        Err(error) => tracing::error!(%error, "streams of events do not hear when the server stops"),
    }
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).min(8)
}

/// `RateLimit-*` on every answer to an authenticated request.
async fn stamp_limits<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let verdict = response.request().extensions().get::<Verdict>().copied();
    if let Some(verdict) = verdict {
        verdict.stamp(response.headers_mut());
    }
    Ok(response)
}
