//! `/v1/search`: what somebody at a desk types, and the orders and tickets that it may mean.

use super::shape::{choice, time};
use super::sight::{Sight, require_one};
use super::tickets::SCOPES;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::query::Query;
use crate::db::{Db, DbError, stored_currency};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, AirlineId, Id, OrderId, TicketId};
use crate::money::Money;
use crate::ordering::{Sealed, Vault, passengers_of};
use crate::ticketing::{self, Found, Lookup, LookupRefusal, LookupSight, NameSight, look_up};
use actix_web::HttpResponse;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

choice! {
    /// Why something was found, the surest first. `ticket_ending`: the last digits of a number; `name_initials`: `zw` for Zhang Wei.
    SearchMatch = ticketing::Match {
        TicketNumber, OrderId, TicketId, BookingReference, RequestId, Name, TicketEnding, Amount, NameBeginning, NameInitials
    }
}

/// A ticket, or an order of which no ticket alone is meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchHit {
    #[serde(rename = "match")]
    pub by: SearchMatch,
    pub order_id: String,
    #[schema(example = "7K2QXN")]
    pub booking_reference: String,
    /// Null: the order itself.
    pub ticket_id: Option<String>,
    #[schema(example = "7812100000001")]
    pub ticket_number: Option<String>,
    /// Family name first: the one who was found, or everybody on the order. Empty for who may not read orders, and of people who were erased.
    #[schema(example = json!(["Zhang/Wei"]))]
    pub passengers: Vec<String>,
    pub agency_id: String,
    pub airline_id: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Of the ticket, or of the order.
    #[schema(example = "1000.00")]
    pub total_amount: String,
    pub created_at: String,
    /// Null: the order is held.
    pub issued_at: Option<String>,
}

/// Orders and tickets that something typed may mean, the surest first: 20 at most. A ticket number of 13 digits, with or without a hyphen, or at least
/// its last four digits; a record locator; a passenger's name in Hanzi or pinyin, with or without spaces and tones, either name first, its beginning or
/// its initials; an amount with or without its currency; an order's, a ticket's or a request's id. Names are found by who may read the orders that they
/// are on, about a second after the sale; what belongs to another organisation is not there.
#[utoipa::path(get, path = "/v1/search", tag = "Tickets", operation_id = "search",
    params(("q" = String, Query, description = "Two characters at least, one of Hanzi, four digits; 100 at most", example = "zhang wei")),
    responses((status = 200, body = Data<Vec<SearchHit>>), (status = 422, description = "`missing_field`", body = ErrorBody)))]
pub async fn search(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &SCOPES)?;
    let missing = || ApiError::new(Code::MissingField, "`q` is missing.").parameter("q");
    let asked = match Lookup::parse(query.get("q").ok_or_else(missing)?) {
        Ok(asked) => asked,
        // Something that is nothing is found nowhere; it is not a mistake of the one who typed it.
        Err(LookupRefusal::Nothing) => return Ok(ok(Vec::<SearchHit>::new())),
        Err(refusal) => return Err(ApiError::new(Code::InvalidValue, format!("`q`: {refusal}.")).parameter("q")),
    };
    let sight = sight(&caller).await?;
    let vault = caller.app.vault.clone();
    let hits = caller.read(move |db| {
        let found = look_up(db, &vault, &asked, &sight)?;
        shown(db, &vault, found, sight.names)
    });
    Ok(ok(hits.await?))
}

async fn sight(caller: &Caller) -> Result<LookupSight, ApiError> {
    let Sight { agencies, airlines, .. } = Sight::of(caller).await?;
    let reads_orders = caller.key.scopes.contains(&Scope::AirRead);
    let names = match caller.key.kind {
        OrganisationKind::Operator | OrganisationKind::Agency if reads_orders => NameSight::Readable,
        _ => NameSight::Hidden,
    };
    Ok(LookupSight { agencies, airlines, names })
}

fn shown(db: &mut Db, vault: &Vault, found: Vec<Found>, names: NameSight) -> Result<Vec<SearchHit>, DbError> {
    let orders: Vec<OrderId> = found.iter().map(|one| OrderId::of(one.order.id)).collect();
    let mut people: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
    if names == NameSight::Readable {
        for (row, key) in passengers_of(db, &orders)? {
            // Who was erased has no key, and no name.
            if let Ok(person) = vault.open(&Sealed { data: row.sealed, wrapped_key: key.wrapped }) {
                people.entry(row.order_id).or_default().push((row.id, format!("{}/{}", person.family_name, person.given_name)));
            }
        }
    }
    found.into_iter().map(|one| hit(one, &people)).collect()
}

fn hit(found: Found, people: &BTreeMap<i64, Vec<(i64, String)>>) -> Result<SearchHit, DbError> {
    let Found { by, order, ticket, passenger } = found;
    let meant = passenger.or(ticket.as_ref().map(|ticket| ticket.passenger_id));
    let on_order = people.get(&order.id).into_iter().flatten();
    let total = ticket.as_ref().map_or(order.total_minor, |ticket| ticket.price_minor);
    Ok(SearchHit {
        by: by.into(),
        order_id: OrderId::of(order.id).to_string(),
        passengers: on_order.filter(|(id, _)| meant.is_none_or(|meant| meant == *id)).map(|(_, name)| name.clone()).collect(),
        ticket_id: ticket.as_ref().map(|ticket| TicketId::of(ticket.id).to_string()),
        ticket_number: ticket.map(|ticket| ticket.number),
        agency_id: AgencyId::of(order.agency_id).to_string(),
        airline_id: AirlineId::of(order.airline_id).to_string(),
        total_amount: Money::new(total, stored_currency(&order.currency)?).to_string(),
        booking_reference: order.booking_reference,
        currency: order.currency,
        created_at: time(order.created_at),
        issued_at: order.issued_at.map(time),
    })
}
