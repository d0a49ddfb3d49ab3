//! An order as it is shown.

use super::cancelling::OrderCancellation;
use super::conditions::ShownConditions;
use super::create_order::{Gender, OrderType, PaymentType, Title};
use super::itinerary::{Conditions, Slice, slices};
use super::offer::{Mode, Price};
use super::place::Airline;
use super::{Names, PassengerType};
use crate::clock::Timestamp;
use crate::ids::{OfferId, OrderId, PassengerId};
use crate::money::MoneyError;
use crate::shopping::offer::{PassengerKind, PricedOffer};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Order {
    #[schema(example = "ord_0d3k8w2m5q7ha")]
    pub id: String,
    #[serde(rename = "type")]
    pub kind: OrderType,
    pub offer_id: String,
    /// Six letters and digits that airport staff and the airline's site know the booking by.
    #[schema(example = "K7QX2M")]
    pub booking_reference: String,
    pub live_mode: bool,
    /// True where schedule and fare are generated demonstration data.
    pub demo: bool,
    pub created_at: String,
    pub synced_at: String,
    pub cancelled_at: Option<String>,
    /// Null while the order is not cancelled.
    pub cancellation: Option<OrderCancellation>,
    /// Until when the order can be voided, whole; null where it never can.
    pub void_window_ends_at: Option<String>,
    /// Always `self_managed`.
    pub content: &'static str,
    pub owner: Airline,
    pub slices: Vec<Slice>,
    pub passengers: Vec<OrderPassenger>,
    pub documents: Vec<Document>,
    #[schema(example = "950.00")]
    pub base_amount: String,
    pub base_currency: String,
    pub tax_amount: String,
    pub tax_currency: String,
    #[schema(example = "1000.00")]
    pub total_amount: String,
    #[schema(example = "CNY")]
    pub total_currency: String,
    pub payment_status: PaymentStatus,
    pub payments: Vec<Payment>,
    /// What can be done with the order through this interface.
    pub available_actions: Vec<Action>,
    pub conditions: Conditions,
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, String>,
    #[schema(value_type = Vec<Object>)]
    pub changes: [(); 0],
    #[schema(value_type = Vec<Object>)]
    pub airline_initiated_changes: [(); 0],
    #[schema(value_type = Vec<Object>)]
    pub services: [(); 0],
    #[schema(value_type = Vec<Object>)]
    pub users: [(); 0],
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderPassenger {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: PassengerType,
    pub title: Title,
    pub gender: Gender,
    pub given_name: String,
    pub family_name: String,
    pub born_on: String,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    pub infant_passenger_id: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub loyalty_programme_accounts: [(); 0],
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = OrderDocument)]
pub struct Document {
    /// Always `electronic_ticket`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The ticket number: 13 digits.
    #[schema(example = "9992100000001")]
    pub unique_identifier: String,
    pub passenger_ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PaymentStatus {
    pub awaiting_payment: bool,
    pub paid_at: Option<String>,
    pub payment_required_by: Option<String>,
    pub price_guarantee_expires_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = OrderPayment)]
pub struct Payment {
    #[serde(rename = "type")]
    pub kind: PaymentType,
    pub amount: String,
    pub currency: String,
    pub created_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderAction)]
pub enum Action {
    Cancel,
    Change,
    Update,
}

/// What an order consists of.
#[derive(Clone, Debug)]
pub struct OrderFacts<'a> {
    pub id: OrderId,
    pub offer_id: OfferId,
    pub kind: OrderType,
    pub booking_reference: &'a str,
    pub mode: Mode,
    pub offer: &'a PricedOffer,
    /// In the order of the offer's passengers.
    pub passengers: Vec<PassengerFacts>,
    /// Every ticket number with its passenger; a long journey has several numbers each.
    pub tickets: Vec<(String, PassengerId)>,
    pub created_at: Timestamp,
    pub paid: PaidFacts,
    pub cancelled_at: Option<Timestamp>,
    pub cancellation: Option<OrderCancellation>,
    pub void_window_ends_at: Option<Timestamp>,
    pub actions: Vec<Action>,
    pub conditions: ShownConditions,
    pub metadata: BTreeMap<String, String>,
}

/// Whether and how an order was paid for.
#[derive(Clone, Copy, Debug)]
pub enum PaidFacts {
    Paid { kind: PaymentType, at: Timestamp },
    Awaited { until: Timestamp },
}

#[derive(Clone, Debug)]
pub struct PassengerFacts {
    pub id: PassengerId,
    pub kind: PassengerKind,
    pub title: Title,
    pub gender: Gender,
    pub given_name: String,
    pub family_name: String,
    pub born_on: NaiveDate,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    pub infant: Option<PassengerId>,
}

impl Order {
    pub fn new(facts: OrderFacts<'_>, names: &dyn Names) -> Result<Self, MoneyError> {
        let price = Price::of(facts.offer)?;
        let currency = price.total.currency.to_string();
        let id = facts.id.to_string();
        let ids: Vec<PassengerId> = facts.passengers.iter().map(|passenger| passenger.id).collect();
        let (payment_status, payments) = facts.paid.shown(&price);
        let document = |(number, passenger): (String, PassengerId)| Document {
            kind: "electronic_ticket",
            unique_identifier: number,
            passenger_ids: vec![passenger.to_string()],
        };
        Ok(Order {
            kind: facts.kind,
            offer_id: facts.offer_id.to_string(),
            booking_reference: facts.booking_reference.to_owned(),
            live_mode: facts.mode.is_live(),
            demo: facts.offer.demo,
            created_at: facts.created_at.to_string(),
            synced_at: facts.created_at.to_string(),
            cancelled_at: facts.cancelled_at.map(|at| at.to_string()),
            cancellation: facts.cancellation,
            void_window_ends_at: facts.void_window_ends_at.map(|at| at.to_string()),
            content: "self_managed",
            owner: Airline::named(names, &facts.offer.carrier),
            slices: slices(facts.offer, &id, &ids, &facts.conditions.slices, names),
            passengers: facts.passengers.into_iter().map(OrderPassenger::from).collect(),
            documents: facts.tickets.into_iter().map(document).collect(),
            base_amount: price.base.to_string(),
            base_currency: currency.clone(),
            tax_amount: price.tax.to_string(),
            tax_currency: currency.clone(),
            total_amount: price.total.to_string(),
            total_currency: currency,
            payment_status,
            payments,
            available_actions: facts.actions,
            conditions: facts.conditions.whole,
            metadata: facts.metadata,
            changes: [],
            airline_initiated_changes: [],
            services: [],
            users: [],
            id,
        })
    }
}

impl PaidFacts {
    fn shown(self, price: &Price) -> (PaymentStatus, Vec<Payment>) {
        let status =
            PaymentStatus { awaiting_payment: false, paid_at: None, payment_required_by: None, price_guarantee_expires_at: None };
        match self {
            PaidFacts::Paid { kind, at } => {
                let (amount, currency) = (price.total.to_string(), price.total.currency.to_string());
                let payment = Payment { kind, amount, currency, created_at: at.to_string() };
                (PaymentStatus { paid_at: Some(at.to_string()), ..status }, vec![payment])
            }
            PaidFacts::Awaited { until } => {
                let until = Some(until.to_string());
                (PaymentStatus { awaiting_payment: true, payment_required_by: until, ..status }, Vec::new())
            }
        }
    }
}

impl From<PassengerFacts> for OrderPassenger {
    fn from(facts: PassengerFacts) -> Self {
        OrderPassenger {
            id: facts.id.to_string(),
            kind: facts.kind.into(),
            title: facts.title,
            gender: facts.gender,
            given_name: facts.given_name,
            family_name: facts.family_name,
            born_on: facts.born_on.to_string(),
            email: facts.email,
            phone_number: facts.phone_number,
            infant_passenger_id: facts.infant.map(|infant| infant.to_string()),
            loyalty_programme_accounts: [],
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Catalogue, date, family_return};
    use super::*;
    use crate::ids::Id;
    use serde_json::{Value, json, to_value};

    fn passenger(raw: i64, kind: PassengerKind) -> PassengerFacts {
        PassengerFacts {
            id: PassengerId::of(raw),
            kind,
            title: Title::Mrs,
            gender: Gender::F,
            given_name: "Li".to_owned(),
            family_name: "Zhang".to_owned(),
            born_on: date(1),
            email: None,
            phone_number: None,
            infant: (kind == PassengerKind::Adult).then(|| PassengerId::of(103)),
        }
    }

    fn shown(paid: PaidFacts) -> Value {
        let facts = OrderFacts {
            id: OrderId::of(900),
            offer_id: OfferId::of(104),
            kind: OrderType::Instant,
            booking_reference: "K7QX2M",
            mode: Mode::Live,
            offer: &family_return(),
            passengers: vec![
                passenger(101, PassengerKind::Adult),
                passenger(102, PassengerKind::Child),
                passenger(103, PassengerKind::Infant),
            ],
            tickets: (101..104).map(|raw| (format!("9992100000{raw}"), PassengerId::of(raw))).collect(),
            created_at: Timestamp::from_millis(1_790_000_000_000).unwrap(),
            paid,
            cancelled_at: None,
            cancellation: None,
            void_window_ends_at: None,
            actions: vec![Action::Cancel, Action::Update],
            conditions: ShownConditions::default(),
            metadata: BTreeMap::from([("trip".to_owned(), "1".to_owned())]),
        };
        to_value(Order::new(facts, &Catalogue::small()).unwrap()).unwrap()
    }

    #[test]
    fn an_issued_order_shows_its_tickets_and_payment() {
        let at = Timestamp::from_millis(1_790_000_000_000).unwrap();
        let order = shown(PaidFacts::Paid { kind: PaymentType::ArcBspCash, at });
        assert_eq!(order["documents"][1]["unique_identifier"], json!("9992100000102"));
        assert_eq!(order["documents"][1]["passenger_ids"], json!([PassengerId::of(102).to_string()]));
        assert_eq!(order["documents"][1]["type"], json!("electronic_ticket"));
        assert_eq!((&order["total_amount"], &order["tax_amount"]), (&json!("4950.00"), &json!("150.00")));
        assert_eq!(order["payment_status"]["awaiting_payment"], json!(false));
        assert_eq!(order["payment_status"]["paid_at"], json!("2026-09-21T14:13:20.000000Z"));
        assert_eq!(order["payments"][0]["type"], json!("arc_bsp_cash"));
        assert_eq!(order["available_actions"], json!(["cancel", "update"]));
        assert_eq!(order["passengers"][0]["infant_passenger_id"], json!(PassengerId::of(103).to_string()));
        assert_eq!((&order["type"], &order["content"]), (&json!("instant"), &json!("self_managed")));
        assert_eq!((&order["cancellation"], &order["changes"]), (&json!(null), &json!([])));
        assert_eq!(order["metadata"], json!({"trip": "1"}));
        let slice = order["slices"][0]["id"].as_str().unwrap();
        assert!(slice.contains(OrderId::of(900).to_string().trim_start_matches("ord_")), "{slice}");
    }

    #[test]
    fn a_held_order_says_until_when() {
        let until = Timestamp::from_millis(1_790_000_000_000).unwrap();
        let order = shown(PaidFacts::Awaited { until });
        assert_eq!(order["payment_status"]["awaiting_payment"], json!(true));
        assert_eq!(order["payment_status"]["payment_required_by"], json!("2026-09-21T14:13:20.000000Z"));
        assert_eq!((&order["payment_status"]["paid_at"], &order["payments"]), (&json!(null), &json!([])));
    }
}
