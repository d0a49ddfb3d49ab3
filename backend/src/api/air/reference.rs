//! `/air/airlines`, `/air/airports`, `/air/aircraft`, `/places/suggestions`: reference data, the same for everybody.

use super::Names;
use super::names::CatalogueNames;
use super::place::{Aircraft, Airline, Airport, PlaceSuggestion};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::{PageRequest, of_sorted};
use crate::api::query::Query;
use crate::catalogue::Place;
use crate::identity::Scope;
use actix_web::{HttpResponse, web};

/// Suggestions at most: what a search box can show.
const SUGGESTIONS: usize = 20;

macro_rules! reference {
    ($list:ident $one:ident $type:ident $all:ident $find:ident $path:literal $one_path:literal $name:literal $what:literal) => {
        #[doc = concat!("Lists ", $what, " by IATA code.")]
        #[utoipa::path(get, path = $path, tag = "Reference", operation_id = concat!("list_", $name),
            params(("limit" = Option<u16>, Query, description = "1 to 200, 50 if not given"), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
            responses((status = 200, body = Page<$type>), (status = 422, body = ErrorBody)))]
        pub async fn $list(caller: Caller, names: web::Data<CatalogueNames>, query: Query) -> Result<HttpResponse, ApiError> {
            caller.require(Scope::AirRead)?;
            let request = PageRequest::<String>::read(&query, $path)?;
            Ok(page(&of_sorted(&names.$all(), &request, |one| one.id.clone())))
        }

        #[doc = concat!("One of the ", $what, " by IATA code or id.")]
        #[utoipa::path(get, path = $one_path, tag = "Reference", operation_id = concat!("get_", $name),
            params(("id" = String, Path)), responses((status = 200, body = Data<$type>), (status = 404, body = ErrorBody)))]
        pub async fn $one(caller: Caller, names: web::Data<CatalogueNames>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
            caller.require(Scope::AirRead)?;
            let found = names.$find(&id).cloned().or_else(|| names.$all().into_iter().find(|one| one.id == *id));
            found.map(ok).ok_or_else(|| ApiError::of(Code::NotFound))
        }
    };
}

reference!(list_airlines get_airline Airline airlines airline "/air/airlines" "/air/airlines/{id}" "airlines" "airlines");
reference!(list_airports get_airport Airport airports airport "/air/airports" "/air/airports/{id}" "airports" "airports");
reference!(list_aircraft get_aircraft Aircraft aircrafts aircraft "/air/aircraft" "/air/aircraft/{id}" "aircraft" "aircraft types");

/// Airports and cities for what somebody has typed so far: a code, a name in English or Chinese, or a city.
#[utoipa::path(get, path = "/places/suggestions", tag = "Reference", operation_id = "suggest_places",
    params(("query" = Option<String>, Query, description = "What was typed; `name` is understood as well")),
    responses((status = 200, body = Data<Vec<PlaceSuggestion>>), (status = 422, body = ErrorBody)))]
pub async fn suggest_places(caller: Caller, names: web::Data<CatalogueNames>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let Some(typed) = query.get("query").or_else(|| query.get("name")) else {
        return Err(ApiError::new(Code::MissingField, "`query` is missing.").parameter("query"));
    };
    let found = caller.app.catalogue.suggest_places(typed, SUGGESTIONS);
    let suggestion = |place: &Place| match place {
        Place::City(city) => names.city(city.code.as_str()).map(PlaceSuggestion::from),
        Place::Airport(airport) => names.airport(airport.code.as_str()).map(PlaceSuggestion::from),
    };
    Ok(ok(found.iter().filter_map(suggestion).collect::<Vec<_>>()))
}
