//! The OpenAPI description. Handlers add their own operations and shapes; this has what all of them share.

use super::code::{Code, Family};
use super::desk::PLAIN_COOKIE;
use super::error::{Amount, ErrorBody};
use super::request_id::VERSIONS;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr, Schema};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Airsettle", description = "Airline ticket distribution and instant settlement."),
    servers((url = "/", description = "This server")),
    tags(
        (name = "Search", description = "Offer requests, offers and the places they are between."),
        (name = "Orders", description = "Booking, paying and reading orders."),
        (name = "Reference", description = "Airlines, airports and aircraft."),
        (name = "Tickets", description = "One ticket: coupons, split, journal and disbursement."),
        (name = "Refunds", description = "What comes back of tickets, and the documents that back it up."),
        (name = "Memos", description = "What airlines claim from agencies after the sale, or grant them."),
        (name = "Settlement", description = "Agencies, contracts, limits, exposure, facilities and receipts."),
        (name = "Ledger", description = "Accounts and postings."),
        (name = "Events", description = "What happened, pulled or delivered."),
        (name = "Access", description = "Organisations, keys and people."),
        (name = "Test mode", description = "Only for test keys."),
    ),
    components(schemas(ErrorBody, Amount)),
    modifiers(&Security, &Versions, &ErrorCodes),
    security(("bearer" = [])),
)]
pub struct ApiDescription;

/// The whole description: what all operations share, and the operations.
pub fn document() -> Document {
    let mut document = ApiDescription::openapi();
    document.merge(super::air::routes::AirDescription::openapi());
    document.merge(super::v1::V1Description::openapi());
    document.merge(super::v1::people::PeopleDescription::openapi());
    super::operations::complete(&mut document);
    document
}

pub fn configure(config: &mut ServiceConfig) {
    config.service(web::resource("/openapi.json").route(web::get().to(serve)));
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("A key beginning with `as_live_` or `as_test_`.".to_owned());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let said = "The cookie that `POST /v1/sessions` sets, named `__Host-airsettle` by TLS. What changes something needs `Airsettle-Desk: 1` and \
                    has to come from a page of this server (`Origin` or `Sec-Fetch-Site`). `Airsettle-Mode: test` acts in the organisation's sandbox.";
        let cookie = ApiKeyValue::with_description(PLAIN_COOKIE, said);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Says which versions there are.
struct Versions;

impl Modify for Versions {
    fn modify(&self, document: &mut Document) {
        let [(duffel, _), (airsettle, version)] = VERSIONS;
        version.clone_into(&mut document.info.version);
        let sentence = format!(" Versions can be asked for by `{duffel}` and `{airsettle}`.");
        document.info.description.get_or_insert_default().push_str(&sentence);
    }
}

/// Lists the codes and families of the registry in the shape of an error.
struct ErrorCodes;

impl Modify for ErrorCodes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let Some(RefOr::T(Schema::Object(item))) = components.schemas.get_mut("ErrorItem") else { return };
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.text()).collect();
        let families: Vec<&str> = Family::ALL.iter().map(|family| family.text()).collect();
        for (name, values) in [("code", codes), ("type", families)] {
            if let Some(RefOr::T(Schema::Object(property))) = item.properties.get_mut(name) {
                property.enum_values = Some(values.into_iter().map(serde_json::Value::from).collect());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::air::create_order::CreateOrder;
    use crate::api::air::offer::Offer;
    use crate::api::air::offer_request::{CreateOfferRequest, OfferRequest};
    use crate::api::air::order::Order;
    use crate::api::air::place::{City, PlaceSuggestion};
    use crate::api::envelope::{Data, Page};
    use serde_json::{Value, json, to_value};

    /// What handlers will refer to.
    #[derive(OpenApi)]
    #[openapi(components(schemas(
        Data<CreateOfferRequest>, Data<OfferRequest>, Page<Offer>, Data<CreateOrder>, Data<Order>, Page<PlaceSuggestion>, Page<City>
    )))]
    struct Shapes;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_shape_that_is_referred_to_is_described() {
        let document = to_value(Shapes::openapi()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let airport = &document["components"]["schemas"]["Airport"];
        assert_eq!(airport["properties"]["type"]["type"], json!("string"));
    }

    #[test]
    fn the_description_names_scheme_version_and_every_error_code() {
        let document = to_value(ApiDescription::openapi()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], json!("bearer"));
        assert_eq!(document["security"], json!([{"bearer": []}]));
        assert_eq!(document["components"]["securitySchemes"]["session"]["in"], json!("cookie"));
        assert_eq!(document["info"]["version"], json!("2026-11-01"));
        let codes = &document["components"]["schemas"]["ErrorItem"]["properties"]["code"]["enum"];
        assert_eq!(codes.as_array().unwrap().len(), Code::ALL.len());
        assert!(document["components"]["schemas"]["ErrorBody"].is_object());
    }
}
