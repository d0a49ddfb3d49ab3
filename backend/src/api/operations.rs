//! Completes the description of every operation with what is the same for all of them, so that no handler can forget it: who may call, the
//! errors that any request can meet, and the header that makes a write happen once.

use super::code::Code;
use super::once::IDEMPOTENCY_KEY;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};

const ANY_REQUEST: &[Code] = &[Code::Internal, Code::DatabaseUnavailable];
const WITH_A_KEY: &[Code] =
    &[Code::Unauthenticated, Code::KeyExpired, Code::KeyRevoked, Code::IpNotAllowed, Code::InsufficientScope, Code::RateLimited];
/// A request that comes with a person's session, or may.
const WITH_A_SESSION: &[Code] =
    &[Code::Unauthenticated, Code::SessionExpired, Code::InsufficientScope, Code::RateLimited, Code::InvalidValue];
const WITH_A_BODY: &[Code] = &[
    Code::InvalidJson,
    Code::MissingData,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::MissingField,
    Code::UnknownField,
    Code::InvalidType,
    Code::InvalidValue,
];
const ONCE: &[Code] = &[Code::IdempotencyKeyInvalid, Code::IdempotencyKeyReused, Code::IdempotencyInProgress];
const A_LIST: &[Code] = &[Code::InvalidLimit, Code::InvalidCursor];

pub fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = &mut item.get {
            add_shared(operation, path, Method::Read);
        }
        for operation in [&mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten() {
            add_shared(operation, path, Method::Write);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Read,
    Write,
}

fn add_shared(operation: &mut Operation, path: &str, method: Method) {
    add_codes(operation, ANY_REQUEST);
    if path.contains('{') {
        add_codes(operation, &[Code::NotFound]);
    }
    let by = Shows::of(operation);
    if by == Shows::Nothing {
        if is_json(operation) {
            add_codes(operation, WITH_A_BODY);
        }
        return;
    }
    if by == Shows::KeyOrSession {
        let scheme = |name: &str| SecurityRequirement::new::<_, _, String>(name, []);
        operation.security = Some(vec![scheme("bearer"), scheme("session")]);
        add_codes(operation, WITH_A_KEY);
    }
    add_codes(operation, WITH_A_SESSION);
    if method == Method::Write {
        add_codes(operation, &[Code::CrossSiteRequest]);
    }
    if reads_a_query(operation) {
        add_codes(operation, &[Code::InvalidValue]);
    }
    if has_parameter(operation, "limit") {
        add_codes(operation, A_LIST);
    }
    if operation.request_body.is_some() {
        add_codes(operation, WITH_A_BODY);
    }
    if by == Shows::Session {
        return;
    }
    if method == Method::Write && (path.starts_with("/v1/") || has_parameter(operation, IDEMPOTENCY_KEY)) {
        add_pending(operation);
        add_codes(operation, &[Code::StorageFull]);
        add_codes(operation, ONCE);
        if !has_parameter(operation, IDEMPOTENCY_KEY) {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        }
    }
}

/// A write whose COMMIT had no answer is answered with what to read about it.
fn add_pending(operation: &mut Operation) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Data_PendingOperation"))).build();
    let description = "The outcome is not known yet: read the operation, and do not send it again under another key";
    let response = ResponseBuilder::new().description(description).content("application/json", body).build();
    operation.responses.responses.entry("202".to_owned()).or_insert(RefOr::T(response));
}

/// What a caller shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    Nothing,
    /// For people only; such an operation says so itself.
    Session,
    KeyOrSession,
}

impl Shows {
    fn of(operation: &Operation) -> Self {
        match &operation.security {
            None => Shows::KeyOrSession,
            // An operation that says itself that nobody has to show a key has an empty list.
            Some(said) if said.iter().all(|requirement| *requirement == SecurityRequirement::default()) => Shows::Nothing,
            Some(_) => Shows::Session,
        }
    }
}

/// Whether its body is `{"data": …}`: a bank's report is not.
fn is_json(operation: &Operation) -> bool {
    operation.request_body.is_some() && operation.tags.iter().flatten().any(|tag| tag == "Access")
}

fn reads_a_query(operation: &Operation) -> bool {
    let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(one) if one.parameter_in == ParameterIn::Query);
    operation.parameters.iter().flatten().any(in_query)
}

fn has_parameter(operation: &Operation, name: &str) -> bool {
    operation.parameters.iter().flatten().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == name))
}

fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name(IDEMPOTENCY_KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same key and body again get the first answer; kept as long as the effect"))
        .schema(Some(text))
        .build()
}

/// Under each status the codes that may come with it, beside what the handler says about that status.
fn add_codes(operation: &mut Operation, codes: &[Code]) {
    for code in codes {
        let status = code.status().as_u16().to_string();
        let name = format!("`{code}`");
        match operation.responses.responses.get_mut(&status) {
            Some(RefOr::T(response)) if response.description.contains(&name) => {}
            Some(RefOr::T(response)) if response.description.is_empty() => response.description = name,
            Some(RefOr::T(response)) => response.description = format!("{}; {name}", response.description),
            Some(RefOr::Ref(_)) => {}
            None => {
                let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
                let response = ResponseBuilder::new().description(name).content("application/json", body).build();
                operation.responses.responses.insert(status, RefOr::T(response));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::api::openapi::document;
    use serde_json::{Value, json, to_value};
    use std::collections::HashSet;

    /// Everything below `/v1` and `/air`: address, method, operation.
    fn operations(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let of_path = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.clone(), method.clone(), operation.clone()))
        });
        of_path.collect()
    }

    #[test]
    fn every_operation_says_who_may_call_it_what_it_does_and_how_it_fails() {
        let document = to_value(document()).unwrap();
        let tags: HashSet<&str> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
        let mut ids = HashSet::new();
        let found = operations(&document);
        assert!(found.len() > 60, "{}", found.len());
        for (path, method, operation) in found {
            let at = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}: an id that is there twice");
            assert!(tags.contains(operation["tags"][0].as_str().unwrap()), "{at}: an unknown tag");
            let said = operation["description"].as_str().or(operation["summary"].as_str()).unwrap_or_default();
            assert!(said.len() > 10 || !path.starts_with("/v1"), "{at}: no description");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("500"), "{at}");
            if path.starts_with("/v1/bank_callbacks") {
                assert_eq!(operation["security"], json!([{}]), "{at}");
                continue;
            }
            let by = &operation["security"];
            assert!([json!([{"bearer": []}, {"session": []}]), json!([{"session": []}]), json!([{}])].contains(by), "{at}: {by}");
            assert!(*by == json!([{}]) || responses.contains_key("401") && responses.contains_key("403"), "{at}");
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                assert!(
                    response["description"].as_str().unwrap_or_default().contains('`') || !path.starts_with("/v1"),
                    "{at} {status}"
                );
                assert!(response["content"]["application/json"]["schema"].is_object(), "{at} {status}: no body");
            }
        }
    }

    #[test]
    fn only_these_need_neither_a_key_nor_a_session() {
        let document = to_value(document()).unwrap();
        let open = operations(&document).into_iter().filter(|(_, _, operation)| operation["security"] == json!([{}]));
        let open: Vec<String> = open.map(|(path, method, _)| format!("{method} {path}")).collect();
        let expected = [
            "post /v1/bank_callbacks/{mode}",
            "post /v1/invitations/actions/accept",
            "post /v1/password_resets",
            "post /v1/password_resets/actions/complete",
            "post /v1/sessions",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn a_write_under_v1_names_the_header_that_makes_it_happen_once() {
        let document = to_value(document()).unwrap();
        let writes = operations(&document).into_iter().filter(|(path, method, operation)| {
            method == "post"
                && path.starts_with("/v1/")
                && operation["security"].as_array().unwrap().contains(&json!({"bearer": []}))
        });
        let mut required = Vec::new();
        for (path, _, operation) in writes {
            let parameters = operation["parameters"].as_array().unwrap();
            let key: Vec<&Value> = parameters.iter().filter(|one| one["name"] == "Idempotency-Key").collect();
            assert_eq!(key.len(), 1, "{path}");
            if key[0]["required"] == json!(true) {
                required.push(path);
            }
        }
        let moving_money = [
            "/v1/airline_payments",
            "/v1/bank_receipts",
            "/v1/cash_transfers",
            "/v1/cash_transfers/{id}/actions/confirm",
            "/v1/credit_payouts",
            "/v1/defaults",
            "/v1/facilities/{id}/accruals",
            "/v1/facilities/{id}/repayments",
            "/v1/incentive_settlements",
            "/v1/payouts",
            "/v1/refund_applications/{id}/actions/confirm",
            "/v1/refund_applications/{id}/actions/decide",
            "/v1/tax_payments",
        ];
        assert_eq!(required, moving_money, "what moves money insists on it");
    }

    /// Two shapes of one name would silently become one.
    #[test]
    fn every_shape_that_is_referred_to_is_there() {
        let document = to_value(document()).unwrap();
        let text = document.to_string();
        let references: HashSet<&str> =
            text.split("\"$ref\":\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(references.len() > 80, "{}", references.len());
        for name in references {
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
