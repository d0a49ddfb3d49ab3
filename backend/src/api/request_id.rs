//! The outermost layer of every route: it gives the request an id, opens the span that puts the id on every log line, checks the
//! version headers, and makes every error, whoever raised it, leave in the same envelope.

use super::code::Code;
use super::error::ApiError;
use crate::ids::{IdGenerator, RequestId as Generated};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use tracing::Instrument;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 64;

/// Each version header with the one value it may have.
pub const VERSIONS: [(&str, &str); 2] = [("Duffel-Version", "v2"), ("Airsettle-Version", "2026-11-01")];

/// The id of the request being answered; an extractor for handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// What the transport layer needs from the application.
#[derive(Clone, Debug)]
pub struct Transport {
    pub ids: Arc<IdGenerator>,
    /// The public address of this server without a slash at its end, for `documentation_url`.
    pub public_url: String,
}

/// The layer, for `App::wrap`; wrapped last, so that it is outermost.
pub fn layer<S, B>(
    transport: Arc<Transport>,
) -> impl Transform<S, ServiceRequest, Response = ServiceResponse<BoxBody>, Error = actix_web::Error, InitError = ()>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    from_fn(move |request: ServiceRequest, next: Next<B>| serve(Arc::clone(&transport), request, next))
}

/// The answer to every address that no route has; for `App::default_service`.
pub async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path: String = request.path().chars().take(200).collect();
    Err(ApiError::new(Code::NotFound, format!("There is nothing at {path}.")))
}

async fn serve<B: MessageBody + 'static>(
    transport: Arc<Transport>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = accepted(request.headers()).unwrap_or_else(|| transport.ids.next::<Generated>().to_string());
    let span = span(&id, &request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let desk = Desk { id, public_url: transport.public_url.clone() };
    async move {
        if let Err(error) = check_versions(request.headers()) {
            let (request, _) = request.into_parts();
            return Ok(ServiceResponse::new(request, desk.answer(&error)));
        }
        match next.call(request).await {
            Ok(response) => Ok(desk.finish(response)),
            // A layer in between gave up without a response; the request is gone, so the error has to become one by itself.
            Err(error) => Err(desk.finish_error(&error)),
        }
    }
    .instrument(span)
    .await
}

fn accepted(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    let fits = !text.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(allowed);
    fits.then(|| text.to_owned())
}

fn check_versions(headers: &HeaderMap) -> Result<(), ApiError> {
    for (name, version) in VERSIONS {
        if headers.get(name).is_some_and(|asked| asked.as_bytes() != version.as_bytes()) {
            let message = format!("The only version that `{name}` can ask for is `{version}`.");
            return Err(ApiError::new(Code::UnsupportedVersion, message).parameter(name));
        }
    }
    Ok(())
}

fn span(id: &str, request: &ServiceRequest) -> tracing::Span {
    let span = tracing::info_span!(
        "request",
        request_id = id,
        method = request.method().as_str(),
        path = request.path(),
        trace_id = tracing::field::Empty,
        parent_id = tracing::field::Empty,
    );
    let header = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    if let Some((trace, parent)) = header.and_then(trace_parent) {
        span.record("trace_id", trace).record("parent_id", parent);
    }
    span
}

/// Trace and parent id of a W3C `traceparent` header.
fn trace_parent(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let set = |part: &str| part.bytes().any(|byte| byte != b'0');
    // Later versions may append parts; version 00 has exactly four and ff is forbidden.
    let version_fits = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    (version_fits && hex(trace, 32) && set(trace) && hex(parent, 16) && set(parent) && hex(flags, 2)).then_some((trace, parent))
}

/// Writes the answers of one request.
struct Desk {
    id: String,
    public_url: String,
}

impl Desk {
    fn finish<B: MessageBody + 'static>(&self, response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
        let (request, response) = response.into_parts();
        let error = response.error().and_then(|error| error.as_error::<ApiError>()).cloned();
        let finished = match error {
            Some(error) => self.answer_with(&error, response.headers()),
            None if is_bare_error(&response) => self.answer_with(&self.of_status(response.status()), response.headers()),
            None => self.stamped(response.map_into_boxed_body()),
        };
        ServiceResponse::new(request, finished)
    }

    fn finish_error(&self, error: &actix_web::Error) -> actix_web::Error {
        let known = error.as_error::<ApiError>().cloned();
        let known = known.unwrap_or_else(|| self.of_status(error.as_response_error().status_code()));
        log(&known);
        Finished { error: known, id: self.id.clone(), public_url: self.public_url.clone() }.into()
    }

    fn answer(&self, error: &ApiError) -> HttpResponse {
        log(error);
        self.stamped(error.response(&self.id, &self.public_url))
    }

    /// Keeps what the layers further in said in headers, such as `Allow` or the rate limit.
    fn answer_with(&self, error: &ApiError, headers: &HeaderMap) -> HttpResponse {
        let mut answer = self.answer(error);
        for (name, value) in headers.iter().filter(|(name, _)| **name != CONTENT_TYPE && **name != CONTENT_LENGTH) {
            if !answer.headers().contains_key(name) {
                answer.headers_mut().append(name.clone(), value.clone());
            }
        }
        answer
    }

    fn of_status(&self, status: StatusCode) -> ApiError {
        ApiError::of(Code::for_status(status))
    }

    fn stamped(&self, mut response: HttpResponse) -> HttpResponse {
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
}

/// An error that did not come from a handler of ours: it has no JSON body.
fn is_bare_error<B>(response: &HttpResponse<B>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let failed = response.status().is_client_error() || response.status().is_server_error();
    failed && !content_type.starts_with("application/") && !content_type.starts_with("text/html")
}

/// Only what is our fault is an error in the log; what is the client's is a value.
fn log(error: &ApiError) {
    match error.internal_detail() {
        Some(detail) => tracing::error!(code = error.code().text(), detail, "request failed"),
        None if error.code().status().is_server_error() => tracing::warn!(code = error.code().text(), "request not served"),
        None => tracing::debug!(code = error.code().text(), "request refused"),
    }
}

/// An error with all that is needed to answer it.
#[derive(Debug)]
struct Finished {
    error: ApiError,
    id: String,
    public_url: String,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Finished {
    fn status_code(&self) -> StatusCode {
        self.error.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.response(&self.id, &self.public_url);
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
}

impl FromRequest for RequestId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<RequestId>().cloned();
        ready(id.ok_or_else(|| ApiError::internal("the transport layer is not installed")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::envelope::{Body, ok};
    use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
    use actix_web::{App, web};
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Deserialize)]
    struct Named {
        name: String,
    }

    async fn echo(id: RequestId, body: Body<Named>) -> HttpResponse {
        ok(json!({"id": id.0, "name": body.data.name}))
    }

    async fn broken() -> Result<HttpResponse, ApiError> {
        Err(ApiError::internal("secret detail"))
    }

    async fn guarded(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        Err(ApiError::of(Code::KeyRevoked).into())
    }

    /// Status, request id and body of an answer.
    async fn call(request: TestRequest) -> (u16, String, Value) {
        let transport = Arc::new(Transport { ids: Arc::new(IdGenerator::new(1, 0)), public_url: "https://here".to_owned() });
        let app = App::new()
            .service(web::resource("/echo").route(web::post().to(echo)))
            .service(web::resource("/broken").route(web::get().to(broken)))
            .service(web::resource("/text").route(web::get().to(|| async { HttpResponse::BadGateway().body("proxy says no") })))
            .service(web::scope("/guarded").wrap(from_fn(guarded)).route("/x", web::get().to(broken)))
            .default_service(web::to(no_such_route))
            .wrap(layer(transport));
        let app = init_service(app).await;
        match try_call_service(&app, request.to_request()).await {
            Ok(response) => {
                let id = response.headers().get(REQUEST_ID).unwrap().to_str().unwrap().to_owned();
                (response.status().as_u16(), id, read_body_json(response).await)
            }
            Err(error) => {
                let response = error.error_response();
                let id = response.headers().get(REQUEST_ID).unwrap().to_str().unwrap().to_owned();
                let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap();
                (error.as_response_error().status_code().as_u16(), id, serde_json::from_slice(&bytes).unwrap())
            }
        }
    }

    fn post(path: &str, body: &str) -> TestRequest {
        TestRequest::post().uri(path).insert_header((CONTENT_TYPE, "application/json")).set_payload(body.to_owned())
    }

    #[actix_web::test]
    async fn a_good_id_is_kept_and_a_bad_one_replaced() {
        let body = r#"{"data": {"name": "n"}}"#;
        let (status, id, answer) = call(post("/echo", body).insert_header(("x-request-id", "abc-1.2:3_4"))).await;
        assert_eq!((status, id.as_str(), &answer["data"]["id"]), (200, "abc-1.2:3_4", &json!("abc-1.2:3_4")));
        for bad in ["", "has space", "a\"b", &"x".repeat(65)] {
            let (_, id, _) = call(post("/echo", body).insert_header(("x-request-id", bad))).await;
            assert!(id.starts_with("req_"), "{bad:?} -> {id}");
        }
    }

    #[actix_web::test]
    async fn every_error_has_the_envelope_and_the_id() {
        let cases = [
            (post("/echo", "{"), 400, "invalid_json"),
            (post("/echo", r#"{"data": {}}"#), 422, "missing_field"),
            (TestRequest::post().uri("/echo").set_payload("x"), 415, "unsupported_media_type"),
            (TestRequest::get().uri("/echo"), 405, "method_not_allowed"),
            (TestRequest::get().uri("/nowhere"), 404, "not_found"),
            (TestRequest::get().uri("/broken"), 500, "internal"),
            (TestRequest::get().uri("/text"), 500, "internal"),
            (TestRequest::get().uri("/guarded/x"), 401, "key_revoked"),
            (TestRequest::get().uri("/echo").insert_header(("Duffel-Version", "v1")), 400, "unsupported_version"),
            (TestRequest::get().uri("/echo").insert_header(("Airsettle-Version", "2020-01-01")), 400, "unsupported_version"),
        ];
        for (request, status, code) in cases {
            let (answered, id, body) = call(request.insert_header(("x-request-id", "r1"))).await;
            assert_eq!((answered, &body["errors"][0]["code"]), (status, &json!(code)));
            assert_eq!(body["meta"], json!({"status": status, "request_id": "r1"}), "{code}");
            assert_eq!(body["errors"][0]["documentation_url"], json!(format!("https://here/docs/errors/{code}")));
            assert_eq!(id, "r1");
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[actix_web::test]
    async fn the_known_versions_are_accepted() {
        for (name, version) in VERSIONS {
            let (status, _, _) = call(post("/echo", r#"{"data": {"name": "n"}}"#).insert_header((name, version))).await;
            assert_eq!(status, 200, "{name}");
        }
    }

    #[test]
    fn a_trace_parent_is_read_as_the_standard_says() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = "00f067aa0ba902b7";
        assert_eq!(trace_parent(&format!("00-{trace}-{parent}-01")), Some((trace, parent)));
        assert_eq!(trace_parent(&format!("cc-{trace}-{parent}-01-more")), Some((trace, parent)));
        let zeros = "0".repeat(32);
        for wrong in [
            format!("00-{trace}-{parent}-01-more"),
            format!("ff-{trace}-{parent}-01"),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            "00".to_owned(),
        ] {
            assert_eq!(trace_parent(&wrong), None, "{wrong}");
        }
    }
}
