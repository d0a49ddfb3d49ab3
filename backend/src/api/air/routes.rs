//! The addresses of the distribution part: at the origin's root, because existing clients resolve absolute paths.

use super::issued::Rehearsal;
use super::{
    airline_changes, cancelling, changing, editing, offer_passenger, order_change, ordering, paying, pricing, reference,
    searching, webhooks,
};
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

/// The operations of the distribution part.
#[derive(OpenApi)]
#[openapi(
    paths(
        searching::create_offer_request,
        searching::get_offer_request,
        searching::list_offer_requests,
        searching::list_offers,
        searching::get_offer,
        pricing::price_offer,
        offer_passenger::update_offer_passenger,
        ordering::create_order,
        ordering::get_order,
        ordering::list_orders,
        editing::update_order,
        editing::update_order_passenger,
        paying::create_payment,
        paying::get_payment,
        paying::list_payments,
        airline_changes::list_airline_initiated_changes,
        airline_changes::get_airline_initiated_change,
        airline_changes::update_airline_initiated_change,
        airline_changes::accept_airline_initiated_change,
        cancelling::create_order_cancellation,
        cancelling::confirm_order_cancellation,
        cancelling::get_order_cancellation,
        cancelling::list_order_cancellations,
        changing::create_order_change_request,
        changing::get_order_change_request,
        changing::list_order_change_offers,
        changing::get_order_change_offer,
        changing::create_order_change,
        changing::get_order_change,
        changing::confirm_order_change,
        changing::void_order_change,
        reference::list_airlines,
        reference::get_airline,
        reference::list_airports,
        reference::get_airport,
        reference::list_aircraft,
        reference::get_aircraft,
        reference::suggest_places,
        webhooks::create,
        webhooks::list,
        webhooks::get,
        webhooks::update,
        webhooks::delete,
        webhooks::ping,
        webhooks::rotate,
        webhooks::get_webhook_event,
        webhooks::redeliver_event,
        webhooks::list_deliveries,
    ),
    components(schemas(Rehearsal, cancelling::CancellationRehearsal, order_change::OrderChangeRehearsal))
)]
pub struct AirDescription;

/// Addresses are tried in this order: what is asked most comes first.
pub fn configure(config: &mut ServiceConfig) {
    let offer_requests = web::resource("/air/offer_requests")
        .route(web::post().to(searching::create_offer_request))
        .route(web::get().to(searching::list_offer_requests));
    let orders =
        web::resource("/air/orders").route(web::post().to(ordering::create_order)).route(web::get().to(ordering::list_orders));
    let cancellations = web::resource("/air/order_cancellations")
        .route(web::post().to(cancelling::create_order_cancellation))
        .route(web::get().to(cancelling::list_order_cancellations));
    let payments =
        web::resource("/air/payments").route(web::post().to(paying::create_payment)).route(web::get().to(paying::list_payments));
    config.service(orders).service(offer_requests);
    webhook_routes(config);
    changes(config);
    airline_initiated_changes(config);
    config
        .service(payments)
        .service(web::resource("/air/payments/{id}").route(web::get().to(paying::get_payment)))
        .service(cancellations)
        .service(web::resource("/air/order_cancellations/{id}").route(web::get().to(cancelling::get_order_cancellation)))
        .service(
            web::resource("/air/order_cancellations/{id}/actions/confirm")
                .route(web::post().to(cancelling::confirm_order_cancellation)),
        )
        .service(web::resource("/air/offer_requests/{id}").route(web::get().to(searching::get_offer_request)))
        .service(web::resource("/air/offers").route(web::get().to(searching::list_offers)))
        .service(web::resource("/air/offers/{id}").route(web::get().to(searching::get_offer)))
        .service(web::resource("/air/offers/{id}/actions/price").route(web::post().to(pricing::price_offer)))
        .service(
            web::resource("/air/offers/{id}/passengers/{passenger_id}")
                .route(web::patch().to(offer_passenger::update_offer_passenger)),
        )
        .service(
            web::resource("/air/orders/{id}")
                .route(web::get().to(ordering::get_order))
                .route(web::patch().to(editing::update_order)),
        )
        .service(
            web::resource("/air/orders/{id}/passengers/{passenger_id}").route(web::patch().to(editing::update_order_passenger)),
        )
        .service(web::resource("/air/airlines").route(web::get().to(reference::list_airlines)))
        .service(web::resource("/air/airlines/{id}").route(web::get().to(reference::get_airline)))
        .service(web::resource("/air/airports").route(web::get().to(reference::list_airports)))
        .service(web::resource("/air/airports/{id}").route(web::get().to(reference::get_airport)))
        .service(web::resource("/air/aircraft").route(web::get().to(reference::list_aircraft)))
        .service(web::resource("/air/aircraft/{id}").route(web::get().to(reference::get_aircraft)))
        .service(web::resource("/places/suggestions").route(web::get().to(reference::suggest_places)));
}

/// The fixed words before the id that could be in their place.
fn webhook_routes(config: &mut ServiceConfig) {
    let all = web::resource("/air/webhooks").route(web::post().to(webhooks::create)).route(web::get().to(webhooks::list));
    let one = web::resource("/air/webhooks/{id}")
        .route(web::get().to(webhooks::get))
        .route(web::patch().to(webhooks::update))
        .route(web::delete().to(webhooks::delete));
    config
        .service(all)
        .service(web::resource("/air/webhooks/deliveries").route(web::get().to(webhooks::list_deliveries)))
        .service(web::resource("/air/webhooks/events/{id}").route(web::get().to(webhooks::get_webhook_event)))
        .service(web::resource("/air/webhooks/events/{id}/actions/redeliver").route(web::post().to(webhooks::redeliver_event)))
        .service(one)
        .service(web::resource("/air/webhooks/{id}/actions/ping").route(web::post().to(webhooks::ping)))
        .service(web::resource("/air/webhooks/{id}/actions/rotate_secret").route(web::post().to(webhooks::rotate)));
}

fn changes(config: &mut ServiceConfig) {
    let requests = web::resource("/air/order_change_requests");
    let confirm = web::resource("/air/order_changes/{id}/actions/confirm");
    config
        .service(requests.route(web::post().to(changing::create_order_change_request)))
        .service(web::resource("/air/order_change_requests/{id}").route(web::get().to(changing::get_order_change_request)))
        .service(web::resource("/air/order_change_offers").route(web::get().to(changing::list_order_change_offers)))
        .service(web::resource("/air/order_change_offers/{id}").route(web::get().to(changing::get_order_change_offer)))
        .service(web::resource("/air/order_changes").route(web::post().to(changing::create_order_change)))
        .service(web::resource("/air/order_changes/{id}").route(web::get().to(changing::get_order_change)))
        .service(confirm.route(web::post().to(changing::confirm_order_change)))
        .service(web::resource("/air/order_changes/{id}/actions/void").route(web::post().to(changing::void_order_change)));
}

/// What airlines change about orders.
fn airline_initiated_changes(config: &mut ServiceConfig) {
    let change = web::resource("/air/airline_initiated_changes/{id}")
        .route(web::get().to(airline_changes::get_airline_initiated_change))
        .route(web::patch().to(airline_changes::update_airline_initiated_change));
    config
        .service(
            web::resource("/air/airline_initiated_changes").route(web::get().to(airline_changes::list_airline_initiated_changes)),
        )
        .service(change)
        .service(
            web::resource("/air/airline_initiated_changes/{id}/actions/accept")
                .route(web::post().to(airline_changes::accept_airline_initiated_change)),
        );
}
