//! The error envelope. A handler answers `Err(ApiError)`; the transport layer then writes the body with the request id, so that
//! every error of every route looks the same. One `ApiError` can carry many items: all field errors of a body at once.

use super::code::Code;
use crate::ids::BadId;
use crate::money::{Money, MoneyError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// Where the documentation of a code is, below the origin.
pub const DOCS_PATH: &str = "/docs/errors/";

/// What a request did wrong or what stood in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    items: Vec<Item>,
    headers: Vec<(&'static str, String)>,
    /// Logged with the request id, never shown.
    internal: Option<String>,
}

/// One error of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub code: Code,
    pub message: String,
    pub source: Option<Source>,
    pub rejection: Option<Box<Rejection>>,
}

/// The part of the request that an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A JSON pointer into the body.
    Pointer(String),
    /// The name of a query parameter or header.
    Parameter(String),
}

/// What a refused money write says beyond its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub retry: Retry,
    pub short_by: Option<Money>,
    /// The soonest thing that helps, as a sentence.
    pub remedy: Option<String>,
    /// The rule that refused, such as `agency.sales_limit`.
    pub rule: Option<String>,
}

/// Whether the same request may succeed later without being changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Useless,
    MaySucceed,
}

impl ApiError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        ApiError::from(Item::new(code, message))
    }

    /// An error whose documentation sentence says all there is to say.
    pub fn of(code: Code) -> Self {
        ApiError::new(code, code.documentation())
    }

    /// A failure of ours: `detail` is logged, the client reads only the code and the request id.
    pub fn internal(detail: impl fmt::Display) -> Self {
        ApiError { internal: Some(detail.to_string()), ..ApiError::of(Code::Internal) }
    }

    /// Says which field of the body the last item is about.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        if let Some(item) = self.items.last_mut() {
            item.source = Some(Source::Pointer(pointer.into()));
        }
        self
    }

    /// The same about a body that stands within another one: every pointer that begins with `above` begins with `below`.
    pub fn below(mut self, above: &str, below: &str) -> Self {
        for item in &mut self.items {
            if let Some(Source::Pointer(pointer)) = &mut item.source
                && let Some(rest) = pointer.strip_prefix(above)
            {
                *pointer = format!("{below}{rest}");
            }
        }
        self
    }

    /// Says which query parameter or header the last item is about.
    pub fn parameter(mut self, name: impl Into<String>) -> Self {
        if let Some(item) = self.items.last_mut() {
            item.source = Some(Source::Parameter(name.into()));
        }
        self
    }

    pub fn rejected(mut self, rejection: Rejection) -> Self {
        if let Some(item) = self.items.last_mut() {
            item.rejection = Some(Box::new(rejection));
        }
        self
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header("Retry-After", seconds.to_string())
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The first item's code, which decides the status of the answer.
    pub fn code(&self) -> Code {
        self.items.first().map_or(Code::Internal, |item| item.code)
    }

    pub fn internal_detail(&self) -> Option<&str> {
        self.internal.as_deref()
    }

    /// The body as it is sent. `docs` is the public address under which [`DOCS_PATH`] is served, without a slash at its end.
    pub fn body(&self, request_id: &str, docs: &str) -> ErrorBody {
        let status = self.code().status().as_u16();
        let errors = self.items.iter().map(|item| item.body(docs)).collect();
        ErrorBody { errors, meta: ErrorMeta { status, request_id: request_id.to_owned() } }
    }

    /// The whole answer: body, `Retry-After` and what else belongs to the code.
    pub fn response(&self, request_id: &str, docs: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.code().status());
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        if self.code().status() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(self.body(request_id, docs))
    }
}

/// Collects what is wrong with a request, so that the client reads all of it at once.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Item>);

impl Problems {
    pub fn add(&mut self, code: Code, pointer: impl Into<String>, message: impl Into<String>) {
        self.push(Item { source: Some(Source::Pointer(pointer.into())), ..Item::new(code, message) });
    }

    pub fn push(&mut self, item: Item) {
        self.0.push(item);
    }

    /// Keeps the value or the reason why there is none.
    pub fn check<T>(&mut self, result: Result<T, Item>) -> Option<T> {
        result.map_err(|item| self.push(item)).ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error with everything that was collected, if anything was.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.into_error() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub fn into_error(self) -> Option<ApiError> {
        (!self.0.is_empty()).then_some(ApiError { items: self.0, headers: Vec::new(), internal: None })
    }
}

impl Item {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Item { code, message: message.into(), source: None, rejection: None }
    }

    pub fn at(self, pointer: impl Into<String>) -> Self {
        Item { source: Some(Source::Pointer(pointer.into())), ..self }
    }

    /// The field of the body that it is about.
    pub fn pointer(&self) -> Option<&str> {
        match &self.source {
            Some(Source::Pointer(pointer)) => Some(pointer),
            _ => None,
        }
    }

    /// An amount or a currency of the body that could not be read.
    pub fn money(error: &MoneyError, pointer: impl Into<String>) -> Self {
        let code = match error {
            MoneyError::UnknownCurrency(_) => Code::UnknownCurrency,
            MoneyError::TooManyDecimals { .. } => Code::TooManyDecimals,
            MoneyError::CurrencyMismatch { .. } => Code::CurrencyMismatch,
            MoneyError::NotANumber(_) | MoneyError::Overflow | MoneyError::NoWeights => Code::InvalidValue,
        };
        Item::new(code, format!("{error}.")).at(pointer)
    }

    /// An id of the body that is not one.
    pub fn bad_id(error: &BadId, pointer: impl Into<String>) -> Self {
        Item::new(Code::InvalidValue, format!("{error}.")).at(pointer)
    }

    fn body(&self, docs: &str) -> ErrorItem {
        let rejection = self.rejection.as_deref();
        ErrorItem {
            family: self.code.family().text(),
            title: self.code.title(),
            code: self.code.text(),
            message: self.message.clone(),
            documentation_url: format!("{docs}{DOCS_PATH}{}", self.code),
            source: self.source.as_ref().map(Source::body),
            retryable: rejection.map(|rejection| rejection.retry == Retry::MaySucceed),
            short_by: rejection.and_then(|rejection| rejection.short_by).map(Amount::from),
            remedy: rejection.and_then(|rejection| rejection.remedy.clone()),
            rule: rejection.and_then(|rejection| rejection.rule.clone()),
        }
    }
}

impl Source {
    fn body(&self) -> ErrorSource {
        match self {
            Source::Pointer(pointer) => ErrorSource { pointer: Some(pointer.clone()), parameter: None },
            Source::Parameter(name) => ErrorSource { pointer: None, parameter: Some(name.clone()) },
        }
    }
}

impl From<Item> for ApiError {
    fn from(item: Item) -> Self {
        ApiError { items: vec![item], headers: Vec::new(), internal: None }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for item in &self.items {
            write!(f, "{separator}{}: {}", item.code, item.message)?;
            separator = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    /// Without the request id, which only the transport layer knows; that layer writes the answer again.
    fn error_response(&self) -> HttpResponse {
        self.response("", "")
    }
}

/// `{"errors": […], "meta": {…}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    pub errors: Vec<ErrorItem>,
    pub meta: ErrorMeta,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorItem {
    /// The family of the error.
    #[serde(rename = "type")]
    #[schema(example = "validation_error")]
    pub family: &'static str,
    pub title: &'static str,
    /// Stable: what a program should look at.
    #[schema(example = "missing_field")]
    pub code: &'static str,
    /// For a person; its words may change.
    pub message: String,
    pub documentation_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ErrorSource>,
    /// Whether the same request may succeed later unchanged. Only on refused money writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// How much is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_by: Option<Amount>,
    /// The soonest thing that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The rule that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorSource {
    /// JSON pointer into the request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/data/passengers/0/born_on")]
    pub pointer: Option<String>,
    /// Query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorMeta {
    pub status: u16,
    pub request_id: String,
}

/// An amount with its currency, as a pair of strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    #[schema(example = "1000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Amount { amount: money.to_string(), currency: money.currency.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use serde_json::{json, to_value};

    #[test]
    fn the_envelope_has_the_published_shape() {
        let error = ApiError::new(Code::MissingField, "`name` is missing.").at("/data/name");
        assert_eq!(
            to_value(error.body("req_1", "https://api.example")).unwrap(),
            json!({
                "errors": [{
                    "type": "validation_error",
                    "title": "Missing field",
                    "code": "missing_field",
                    "message": "`name` is missing.",
                    "documentation_url": "https://api.example/docs/errors/missing_field",
                    "source": {"pointer": "/data/name"},
                }],
                "meta": {"status": 422, "request_id": "req_1"},
            })
        );
    }

    #[test]
    fn a_money_rejection_says_how_much_is_short_and_what_helps() {
        let rejection = Rejection {
            retry: Retry::MaySucceed,
            short_by: Some(Money::new(12_345, Currency::CNY)),
            remedy: Some("Pay in 123.45 CNY.".to_owned()),
            rule: Some("agency.sales_limit".to_owned()),
        };
        let body = to_value(ApiError::of(Code::LimitExceeded).rejected(rejection).body("r", "")).unwrap();
        let item = &body["errors"][0];
        assert_eq!(item["retryable"], json!(true));
        assert_eq!(item["short_by"], json!({"amount": "123.45", "currency": "CNY"}));
        assert_eq!(item["rule"], json!("agency.sales_limit"));
        assert_eq!(item["remedy"], json!("Pay in 123.45 CNY."));
    }

    #[test]
    fn all_problems_come_at_once_and_the_first_decides_the_status() {
        let mut problems = Problems::default();
        assert!(problems.clone().finish().is_ok());
        problems.add(Code::InvalidValue, "/data/a", "No.");
        assert_eq!(problems.check(Money::parse("1.001", Currency::CNY).map_err(|error| Item::money(&error, "/data/b"))), None);
        let error = problems.finish().unwrap_err();
        assert_eq!(error.items().iter().map(|item| item.code).collect::<Vec<_>>(), [Code::InvalidValue, Code::TooManyDecimals]);
        assert_eq!(error.status_code(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn what_failed_inside_is_not_shown() {
        let error = ApiError::internal("connection to db.internal refused");
        let text = serde_json::to_string(&error.body("r", "")).unwrap();
        assert!(!text.contains("db.internal"));
        assert_eq!(error.internal_detail(), Some("connection to db.internal refused"));
    }

    #[test]
    fn a_refusal_carries_its_headers() {
        let busy = ApiError::of(Code::QueueFull).retry_after(2).response("r", "");
        assert_eq!(busy.headers().get("retry-after").unwrap(), "2");
        let stranger = ApiError::of(Code::Unauthenticated).response("r", "");
        assert_eq!(stranger.headers().get("www-authenticate").unwrap(), "Bearer");
    }
}
