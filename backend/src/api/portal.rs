//! The portal's pages, built into the program (`build.rs`). Every address that is not the API's is the portal's own to route, so it answers the index; files whose names
//! carry a hash never change, the index is never kept.

use super::desk::platform_of;
use super::error::ApiError;
use super::request_id::no_such_route;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, AsHeaderName, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse};

pub struct File {
    pub path: &'static str,
    pub plain: &'static [u8],
    pub brotli: Option<&'static [u8]>,
    pub gzip: Option<&'static [u8]>,
    pub etag: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/portal.rs"));

/// The first parts of addresses that are not the portal's.
const NOT_OURS: [&str; 8] = ["air", "v1", "places", "docs", "livez", "readyz", "metrics", "openapi.json"];
/// Where the build puts files whose names carry a hash of what is in them.
const HASHED: &str = "assets/";
/// Scripts come from files of this server alone. Styles may also be set by scripts, which the components do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
                      connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const A_YEAR: &str = "public, max-age=31536000, immutable";
const HSTS: &str = "max-age=63072000; includeSubDomains";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Airsettle</title></head><body>\
    <h1>Airsettle</h1><p>The server works; its portal is not built into this program. Build it with Node:</p>\
    <pre>deploy/portal\ncargo build</pre><p><code>deploy/run</code> does both. The API is described at <a href=\"/openapi.json\">/openapi.json</a>, its errors at \
    <a href=\"/docs/errors\">/docs/errors</a>.</p></body></html>";

/// What no other route has.
pub async fn serve(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.path().trim_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || NOT_OURS.contains(&first) {
        return no_such_route(request).await;
    }
    let named = if path.is_empty() { "index.html" } else { path };
    if let Some(file) = file(named) {
        return Ok(answer(&request, file));
    }
    let is_a_page = !path.starts_with(HASHED) && !path.rsplit('/').next().unwrap_or_default().contains('.');
    let wants_a_page = path.is_empty() || said(&request, ACCEPT).contains("text/html");
    if !(is_a_page && wants_a_page) {
        return no_such_route(request).await;
    }
    Ok(match file("index.html") {
        Some(index) => answer(&request, index),
        None => page_of("no-store").content_type("text/html; charset=utf-8").body(NOT_BUILT),
    })
}

fn file(path: &str) -> Option<&'static File> {
    FILES.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|place| FILES.get(place))
}

fn said(request: &HttpRequest, name: impl AsHeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn page_of(kept: &'static str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .insert_header((CACHE_CONTROL, kept));
    response
}

fn answer(request: &HttpRequest, file: &'static File) -> HttpResponse {
    let kept = match file.path {
        "index.html" => "no-store",
        path if path.starts_with(HASHED) => A_YEAR,
        _ => "no-cache",
    };
    let mut response = page_of(kept);
    response.insert_header((ETAG, file.etag)).insert_header((VARY, "Accept-Encoding"));
    if kept != "no-store" && said(request, IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.etag) {
        return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    let (encoding, bytes) = encoded(said(request, ACCEPT_ENCODING), file);
    if let Some(encoding) = encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    response.content_type(content_type(file.path)).body(bytes)
}

/// The smallest form that the client takes.
fn encoded(accepted: &str, file: &'static File) -> (Option<&'static str>, &'static [u8]) {
    let takes = |name: &str| {
        accepted.split(',').any(|one| {
            let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
            let refused =
                weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
            coding.trim().eq_ignore_ascii_case(name) && !refused
        })
    };
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// On every answer: nothing is guessed about what it is, what the API says is kept nowhere, and by TLS a browser comes back by TLS.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let is_tls = platform_of(response.request()).is_ok_and(|platform| platform.is_tls());
    let is_api = ["/v1/", "/air/"].iter().any(|start| response.request().path().starts_with(start));
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    if is_api && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// Whether this program has the portal's pages.
pub fn is_built() -> bool {
    !FILES.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: File =
        File { path: "assets/a-1f.js", plain: b"plain", brotli: Some(b"br"), gzip: Some(b"gzip"), etag: "\"1\"" };
    static PICTURE: File = File { path: "logo.png", plain: b"plain", brotli: None, gzip: None, etag: "\"2\"" };

    #[test]
    fn the_smallest_form_that_is_taken() {
        let of = |accepted| encoded(accepted, &SCRIPT).0;
        assert_eq!(of("gzip, deflate, br"), Some("br"));
        assert_eq!(of("gzip;q=1.0, br;q=0"), Some("gzip"));
        assert_eq!(of("BR"), Some("br"));
        assert_eq!((of(""), of("identity"), of("brotli")), (None, None, None));
        assert_eq!(encoded("br, gzip", &PICTURE), (None, PICTURE.plain));
    }

    #[test]
    fn a_script_is_a_script_and_the_policy_lets_no_other_in() {
        assert!(content_type(SCRIPT.path).starts_with("text/javascript") && content_type("x") == "application/octet-stream");
        assert!(POLICY.contains("script-src 'self';") && POLICY.contains("frame-ancestors 'none'"));
        assert!(FILES.is_sorted_by_key(|file| file.path), "they are sought by halving");
        assert!(FILES.is_empty() || file("index.html").is_some());
    }
}
