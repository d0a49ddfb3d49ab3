//! `{"data": …}` in both directions. [`Body`] reads a request and answers every way in which it can be malformed with its own
//! code; [`ok`], [`created`], [`accepted`] and [`page`] write a response.

use super::code::Code;
use super::error::ApiError;
use super::fields;
use crate::clock::Timestamp;
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The largest request body: an order of nine passengers with documents and metadata is below 50 kB.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// `{"data": …}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Data<T> {
    pub data: T,
}

/// `{"data": …, "meta": {…}}` of something that can be voided for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataForNow<T> {
    pub data: T,
    pub meta: Countdown,
}

/// What is so at this moment only, and therefore beside the data, which stays the same when it is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Countdown {
    /// Whole seconds until the void window ends, 0 when it is over; null where nothing was ever to be voided.
    #[schema(example = 7200)]
    pub void_window_remaining_secs: Option<i64>,
}

impl Countdown {
    pub fn to(ends_at: Option<Timestamp>, now: Timestamp) -> Self {
        Countdown { void_window_remaining_secs: ends_at.map(|at| at.since(now).num_seconds().max(0)) }
    }
}

/// `{"data": […], "meta": {…}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub meta: PageMeta,
}

/// How to read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PageMeta {
    pub limit: u16,
    /// The cursor of the page after this one; null on the last.
    pub after: Option<String>,
    /// The cursor of the page before this one; null on the first.
    pub before: Option<String>,
}

pub fn ok<T: Serialize>(data: T) -> HttpResponse {
    HttpResponse::Ok().json(Data { data })
}

pub fn ok_for_now<T: Serialize>(data: T, meta: Countdown) -> HttpResponse {
    HttpResponse::Ok().json(DataForNow { data, meta })
}

pub fn created<T: Serialize>(data: T) -> HttpResponse {
    HttpResponse::Created().json(Data { data })
}

pub fn accepted<T: Serialize>(data: T) -> HttpResponse {
    HttpResponse::Accepted().json(Data { data })
}

pub fn page<T: Serialize>(page: &Page<T>) -> HttpResponse {
    HttpResponse::Ok().json(page)
}

impl<T> Page<T> {
    /// The same page with every row converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(convert).collect(), meta: self.meta }
    }

    pub fn try_map<U, E>(self, convert: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let data = self.data.into_iter().map(convert).collect::<Result<Vec<_>, E>>()?;
        Ok(Page { data, meta: self.meta })
    }
}

/// The `data` of a request body.
#[derive(Clone, Debug)]
pub struct Body<T> {
    pub data: T,
    /// The body as received, for the digest that an idempotency key is kept with.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> Body<T> {
    pub fn read(content_type: Option<&str>, bytes: Bytes) -> Result<Self, ApiError> {
        if !content_type.is_some_and(is_json) {
            return Err(ApiError::of(Code::UnsupportedMediaType));
        }
        Ok(Body { data: parse(&bytes)?, bytes })
    }
}

/// Reads `{"data": …}`. Other members beside `data` are ignored; what is inside `data` is the type's own decision.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let body: Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ApiError::new(Code::InvalidJson, format!("The body is not valid JSON at line {line}, column {column}."))
    })?;
    let data = match body {
        Value::Object(mut members) => members.shift_remove("data"),
        _ => None,
    };
    match data {
        None | Some(Value::Null) => Err(ApiError::of(Code::MissingData).at("/data")),
        // Serde would take an array as the fields of a struct in their order.
        Some(data) if !data.is_object() => Err(ApiError::new(Code::InvalidType, "`data` is an object.").at("/data")),
        Some(data) => fields::read(data, "/data").map_err(|problems| {
            problems.into_error().unwrap_or_else(|| ApiError::internal("a body was refused without a reason"))
        }),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = text(CONTENT_TYPE).map(str::to_owned);
        let payload = payload.take();
        Box::pin(async move { Body::read(content_type.as_deref(), collect(payload).await?) })
    }
}

async fn collect(mut payload: Payload) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::InvalidJson, "The body ended before it was complete."))?;
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(ApiError::new(Code::BodyTooLarge, format!("The body is larger than {MAX_BODY_BYTES} bytes.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use serde_json::{json, to_value};

    #[derive(Debug, Deserialize, PartialEq)]
    struct Greeting {
        name: String,
    }

    fn code_of(body: &str) -> Code {
        parse::<Greeting>(body.as_bytes()).unwrap_err().code()
    }

    #[test]
    fn a_request_is_read_out_of_its_envelope() {
        let greeting: Greeting = parse(br#"{"data": {"name": "Wei", "extra": 1}, "source": "x"}"#).unwrap();
        assert_eq!(greeting.name, "Wei");
    }

    #[test]
    fn each_malformation_has_its_code() {
        assert_eq!(code_of("{\"data\": {"), Code::InvalidJson);
        assert_eq!(code_of(""), Code::InvalidJson);
        assert_eq!(code_of("\u{feff}{}"), Code::InvalidJson);
        assert_eq!(code_of(&"[".repeat(100_000)), Code::InvalidJson);
        assert_eq!(code_of("{}"), Code::MissingData);
        assert_eq!(code_of("[]"), Code::MissingData);
        assert_eq!(code_of(r#"{"data": null}"#), Code::MissingData);
        assert_eq!(code_of(r#"{"data": {}}"#), Code::MissingField);
        assert_eq!(code_of(r#"{"data": {"name": 1}}"#), Code::InvalidType);
        assert_eq!(code_of(r#"{"data": "x"}"#), Code::InvalidType);
        assert_eq!(code_of(r#"{"data": ["Wei"]}"#), Code::InvalidType);
    }

    #[test]
    fn only_json_is_read() {
        let read = |content_type| Body::<Greeting>::read(content_type, Bytes::from_static(br#"{"data":{"name":"n"}}"#));
        assert!(read(Some("application/json")).is_ok());
        assert!(read(Some("Application/JSON; charset=utf-8")).is_ok());
        assert!(read(Some("application/vnd.api+json")).is_ok());
        for wrong in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("text/json")] {
            assert_eq!(read(wrong).unwrap_err().code(), Code::UnsupportedMediaType, "{wrong:?}");
        }
    }

    #[actix_web::test]
    async fn a_body_is_read_up_to_its_limit() {
        let sized = |length: usize| json!({"data": {"name": "x".repeat(length)}}).to_string();
        let extract = |body: String| async move {
            let request = TestRequest::post().insert_header(("content-type", "application/json")).set_payload(body);
            let (request, mut payload) = request.to_http_parts();
            Body::<Greeting>::from_request(&request, &mut payload).await
        };
        assert_eq!(extract(sized(1_000)).await.unwrap().data.name.len(), 1_000);
        assert_eq!(extract(sized(MAX_BODY_BYTES)).await.unwrap_err().code(), Code::BodyTooLarge);
    }

    #[test]
    fn a_page_says_how_to_read_on() {
        let meta = PageMeta { limit: 50, after: Some("c".to_owned()), before: None };
        let page = Page { data: vec![1, 2], meta }.map(|n| n.to_string());
        let expected = json!({"data": ["1", "2"], "meta": {"limit": 50, "after": "c", "before": null}});
        assert_eq!(to_value(&page).unwrap(), expected);
    }
}
