//! Changes of orders as they are shown, and as they are asked for.

use super::create_order::PaymentType;
use super::issued::travellers;
use super::itinerary::{Slice, slices};
use super::place::Place;
use super::{CabinClass, Names};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::api::v1::postings::LedgerPosting;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::ids::{AgencyId, Id, OrderChangeId, OrderChangeOfferId, OrderId, PassengerId};
use crate::money::{Currency, Money, MoneyError};
use crate::ordering::{Tender, order};
use crate::ticketing::exchange::{ChangeOffer, ChangeRequest, OrderChangeRow, exchanges_by};
use crate::ticketing::{IssuedOrder, issued_orders};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateOrderChangeRequest {
    #[schema(example = "ord_0d3k8w2m5q7ha")]
    pub order_id: String,
    pub slices: ChangedSlices,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ChangedSlices {
    /// What is searched instead; nothing to give up flights without new ones is a cancellation, not a change.
    pub add: Vec<AddedSlice>,
    pub remove: Vec<RemovedSlice>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AddedSlice {
    #[schema(example = "PEK")]
    pub origin: String,
    #[schema(example = "SHA")]
    pub destination: String,
    #[schema(example = "2026-12-12")]
    pub departure_date: String,
    pub cabin_class: Option<CabinClass>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemovedSlice {
    /// As the order shows it.
    #[schema(example = "sli_0d3k8w2m5q7ha_0")]
    pub slice_id: String,
}

/// A search for other flights, with its offers, cheapest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChangeRequest {
    #[schema(example = "ocr_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    pub live_mode: bool,
    pub created_at: String,
    pub slices: RequestedSlices,
    pub order_change_offers: Vec<OrderChangeOffer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RequestedSlices {
    pub add: Vec<RequestedSlice>,
    pub remove: Vec<RemovedSlice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RequestedSlice {
    pub origin: Place,
    pub destination: Place,
    pub departure_date: String,
}

/// A journey that the order can be changed to, and what that costs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChangeOffer {
    #[schema(example = "oco_0d3k8w2m5q7ha")]
    pub id: String,
    /// What is paid: the new price less the price of what is given in, and the penalty. Negative where something comes back.
    #[schema(example = "250.00")]
    pub change_total_amount: String,
    pub change_total_currency: String,
    /// The price of the new tickets.
    #[schema(example = "1200.00")]
    pub new_total_amount: String,
    pub new_total_currency: String,
    #[schema(example = "50.00")]
    pub penalty_total_amount: String,
    pub penalty_total_currency: String,
    /// The same, under the name that some clients read.
    pub penalty_amount: String,
    pub penalty_currency: String,
    /// What was given in, for comparison.
    #[schema(example = "1000.00")]
    pub given_in_amount: String,
    pub refund_to: PaymentType,
    pub slices: ChangeSlices,
    /// The change that this offer was chosen for, once it was.
    pub order_change_id: Option<String>,
    pub live_mode: bool,
    pub created_at: String,
    pub updated_at: String,
    /// The end of the offer, or sooner the moment at which the penalty rises.
    pub expires_at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChangeSlices {
    pub add: Vec<Slice>,
    pub remove: Vec<Slice>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrderChange {
    #[schema(example = "oco_0d3k8w2m5q7ha")]
    pub selected_order_change_offer: String,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmOrderChange {
    /// Required where something is to be paid, with exactly that amount. It is paid with what the order was paid with.
    pub payment: Option<ConfirmPayment>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = ConfirmOrderChangePayment)]
pub struct ConfirmPayment {
    /// `arc_bsp_cash` or `balance`.
    #[serde(rename = "type")]
    #[schema(example = "balance")]
    pub kind: String,
    #[schema(example = "250.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
}

/// A chosen offer; from `confirmed_at` on a change of the order.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChange {
    #[schema(example = "oce_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    pub change_total_amount: String,
    pub change_total_currency: String,
    pub new_total_amount: String,
    pub new_total_currency: String,
    pub penalty_total_amount: String,
    pub penalty_total_currency: String,
    /// `original_form_of_payment` where something comes back, else null.
    pub refund_to: Option<&'static str>,
    pub available_payment_types: Vec<PaymentType>,
    pub slices: ChangeSlices,
    /// The new tickets, once it is confirmed.
    pub tickets: Vec<ExchangedTicket>,
    pub live_mode: bool,
    pub created_at: String,
    pub expires_at: String,
    pub confirmed_at: Option<String>,
    /// When the exchange was taken back.
    pub voided_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExchangedTicket {
    #[schema(example = "9992100000002")]
    pub number: String,
    #[schema(example = "9992100000001")]
    pub given_in: String,
    pub penalty_amount: String,
}

/// What a confirmation would book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderChangeRehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    pub order_change: OrderChange,
    pub postings: Vec<LedgerPosting>,
}

pub(super) fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

pub(super) fn sees(visible: Option<&[AgencyId]>, agency: i64) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == agency))
}

pub(super) fn load(db: &mut Db, id: OrderId, visible: Option<&[AgencyId]>) -> Result<IssuedOrder, ApiError> {
    let rows = order(db, id)?.filter(|row| sees(visible, row.agency_id)).into_iter().collect();
    issued_orders(db, rows)?.pop().ok_or_else(not_found)
}

/// How an offer or a change is shown.
pub(super) struct View<'a> {
    pub app: &'a App,
    pub names: &'a dyn Names,
    pub issued: &'a IssuedOrder,
    pub request: &'a ChangeRequest,
}

impl View<'_> {
    fn tender(&self) -> PaymentType {
        let on_credit = self.issued.order.tender().ok().flatten() == Some(Tender::Credit);
        if on_credit { PaymentType::ArcBspCash } else { PaymentType::Balance }
    }

    fn passengers(&self) -> Vec<PassengerId> {
        travellers(self.issued)
    }

    /// Slices of the old journey are the order's, those of the new one the offer's.
    fn slices(&self, offer: &ChangeOffer, part_of: &str) -> ChangeSlices {
        let passengers = self.passengers();
        let of_order = OrderId::of(self.issued.order.id).to_string();
        let old = slices(&self.request.removed.journey, &of_order, &passengers, &[], self.names);
        let new = slices(&offer.journey, part_of, &passengers, &[], self.names);
        let pick = |from: Vec<Slice>, keeps: &dyn Fn(usize) -> bool| {
            from.into_iter().enumerate().filter(|(place, _)| keeps(*place)).map(|(_, slice)| slice).collect()
        };
        ChangeSlices {
            add: pick(new, &|place| offer.added.contains(&place)),
            remove: pick(old, &|place| self.request.removed.slices.contains(&place)),
        }
    }

    pub fn offer(&self, position: usize) -> Result<OrderChangeOffer, ApiError> {
        let offer = self.request.offers.get(position).ok_or_else(not_found)?;
        let currency = offer.currency().map_err(ApiError::internal)?.to_string();
        let id = self.request.offer_id(position).to_string();
        let text = |amount: Result<Money, MoneyError>| amount.map(|amount| amount.to_string()).map_err(ApiError::internal);
        let penalty = text(offer.penalty())?;
        Ok(OrderChangeOffer {
            change_total_amount: text(offer.change_total())?,
            change_total_currency: currency.clone(),
            new_total_amount: text(offer.journey.total())?,
            new_total_currency: currency.clone(),
            penalty_total_amount: penalty.clone(),
            penalty_total_currency: currency.clone(),
            penalty_amount: penalty,
            penalty_currency: currency,
            given_in_amount: text(offer.given_in())?,
            refund_to: self.tender(),
            slices: self.slices(offer, &id),
            order_change_id: None,
            live_mode: self.app.mode.is_live(),
            created_at: self.request.created_at.to_string(),
            updated_at: self.request.created_at.to_string(),
            expires_at: self.request.expires_at.to_string(),
            id,
        })
    }

    pub fn request(&self) -> Result<OrderChangeRequest, ApiError> {
        let order_id = OrderId::of(self.issued.order.id).to_string();
        let body = order_id.split_once('_').map_or(order_id.as_str(), |(_, body)| body).to_owned();
        let removed = self.request.removed.slices.iter().map(|place| RemovedSlice { slice_id: format!("sli_{body}_{place}") });
        let added = self.request.added.iter().map(|slice| RequestedSlice {
            origin: Place::named(self.names, &slice.origin),
            destination: Place::named(self.names, &slice.destination),
            departure_date: slice.departure_date.to_string(),
        });
        Ok(OrderChangeRequest {
            id: self.request.id.to_string(),
            live_mode: self.app.mode.is_live(),
            created_at: self.request.created_at.to_string(),
            slices: RequestedSlices { add: added.collect(), remove: removed.collect() },
            order_change_offers: (0..self.request.offers.len()).map(|place| self.offer(place)).collect::<Result<_, _>>()?,
            order_id,
        })
    }

    pub fn change(&self, db: &mut Db, row: &OrderChangeRow) -> Result<OrderChange, ApiError> {
        let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
        let text = |minor| Money::new(minor, currency).to_string();
        let time = |at| Timestamp::from(at).to_string();
        let offer = self.request.offer(OrderChangeOfferId::of(row.offer_id)).ok_or_else(not_found)?;
        let number = |id: i64| {
            let ticket = self.issued.tickets.iter().find(|ticket| ticket.id == id);
            ticket.map(|ticket| ticket.number.clone()).unwrap_or_default()
        };
        let exchanges = exchanges_by(db, OrderChangeId::of(row.id))?;
        let tickets = exchanges.iter().map(|one| ExchangedTicket {
            number: number(one.ticket_id),
            given_in: number(one.given_in_ticket_id),
            penalty_amount: text(one.penalty_minor),
        });
        Ok(OrderChange {
            id: OrderChangeId::of(row.id).to_string(),
            order_id: OrderId::of(row.order_id).to_string(),
            change_total_amount: text(row.change_minor),
            change_total_currency: currency.to_string(),
            new_total_amount: text(row.new_total_minor),
            new_total_currency: currency.to_string(),
            penalty_total_amount: text(row.penalty_minor),
            penalty_total_currency: currency.to_string(),
            refund_to: (row.change_minor < 0).then_some("original_form_of_payment"),
            available_payment_types: vec![self.tender()],
            slices: self.slices(offer, &OrderChangeOfferId::of(row.offer_id).to_string()),
            tickets: tickets.collect(),
            live_mode: self.app.mode.is_live(),
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
            confirmed_at: row.confirmed_at.map(time),
            voided_at: row.voided_at.map(time),
        })
    }
}
