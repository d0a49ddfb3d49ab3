//! An order as it is shown.

use super::airline_changes::AirlineInitiatedChange;
use super::cancelling::OrderCancellation;
use super::conditions::ShownConditions;
use super::create_order::{Gender, OrderType, PaymentType, Title};
use super::documents::ShownDocument;
use super::itinerary::{Conditions, Slice, slices};
use super::offer::{Mode, Price};
use super::place::Airline;
use super::{Names, PassengerType};
use crate::catalogue::holds::HoldTerms;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::ids::{OfferId, OrderId, PassengerId};
use crate::money::MoneyError;
use crate::ordering::{PersonDocument, PersonName};
use crate::shopping::offer::{PassengerKind, PricedOffer};
use crate::ticketing::{ActionFacts, OrderAction};
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
    /// What can be done with the order now; `pay`, `void` and `refund` stand beside the actions that other platforms name.
    pub available_actions: Vec<Action>,
    /// Every other action, and why it cannot be done.
    pub unavailable_actions: Vec<UnavailableAction>,
    pub conditions: Conditions,
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, String>,
    #[schema(value_type = Vec<Object>)]
    pub changes: [(); 0],
    /// What the airline changed about its flights, newest first.
    pub airline_initiated_changes: Vec<AirlineInitiatedChange>,
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
    /// What is on file; of a number only the end is shown.
    pub identity_documents: Vec<ShownDocument>,
    /// The name that the ticket was issued in, where it was corrected since.
    pub name_on_ticket: Option<NameOnTicket>,
    #[schema(value_type = Vec<Object>)]
    pub loyalty_programme_accounts: [(); 0],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameOnTicket {
    pub given_name: String,
    pub family_name: String,
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
    /// Until when an order that is held has to be paid: then its seats are released. Null unless it awaits its payment.
    pub payment_required_by: Option<String>,
    /// Until when it is paid at the price that it was held at; from then on the order shows the price of now. Null where no price is guaranteed.
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
    /// Through `/air/order_cancellations`.
    Cancel,
    Change,
    /// Metadata and passengers.
    Update,
    /// Through `/air/payments`.
    Pay,
    Void,
    Refund,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrderUnavailableAction)]
pub struct UnavailableAction {
    pub action: Action,
    /// A code that has a page under `/docs/errors`.
    #[schema(example = "void_window_closed")]
    pub code: String,
    pub message: String,
}

impl From<OrderAction> for Action {
    fn from(action: OrderAction) -> Self {
        match action {
            OrderAction::Cancel => Action::Cancel,
            OrderAction::Change => Action::Change,
            OrderAction::Update => Action::Update,
            OrderAction::Pay => Action::Pay,
            OrderAction::Void => Action::Void,
            OrderAction::Refund => Action::Refund,
        }
    }
}

/// What can be done with an order, and what cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    pub available: Vec<Action>,
    pub unavailable: Vec<UnavailableAction>,
}

impl Actions {
    pub fn of(facts: &ActionFacts<'_>) -> Result<Self, DbError> {
        let mut actions = Actions::default();
        for action in OrderAction::ALL {
            match facts.allows(action)? {
                Ok(()) => actions.available.push(action.into()),
                Err(obstacle) => actions.unavailable.push(UnavailableAction {
                    action: action.into(),
                    code: obstacle.code().to_owned(),
                    message: sentence(&obstacle.to_string()),
                }),
            }
        }
        Ok(actions)
    }
}

pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
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
    /// The last time that it was issued, cancelled or expired, or when it was made.
    pub synced_at: Timestamp,
    pub paid: PaidFacts,
    pub cancelled_at: Option<Timestamp>,
    pub cancellation: Option<OrderCancellation>,
    pub void_window_ends_at: Option<Timestamp>,
    pub airline_changes: Vec<AirlineInitiatedChange>,
    pub actions: Actions,
    pub conditions: ShownConditions,
    pub metadata: BTreeMap<String, String>,
}

/// Whether and how an order was paid for.
#[derive(Clone, Copy, Debug)]
pub enum PaidFacts {
    Paid {
        kind: PaymentType,
        at: Timestamp,
    },
    Awaited(HoldTerms),
    /// Cancelled unpaid, or not paid in time.
    Never,
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
    pub documents: Vec<PersonDocument>,
    pub ticketed: Option<PersonName>,
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
            synced_at: facts.synced_at.to_string(),
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
            available_actions: facts.actions.available,
            unavailable_actions: facts.actions.unavailable,
            conditions: facts.conditions.whole,
            metadata: facts.metadata,
            changes: [],
            airline_initiated_changes: facts.airline_changes,
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
            PaidFacts::Awaited(terms) => {
                let payment_required_by = Some(terms.payment_required_by.to_string());
                let price_guarantee_expires_at = terms.price_guaranteed_until.map(|until| until.to_string());
                let awaited = PaymentStatus { awaiting_payment: true, payment_required_by, price_guarantee_expires_at, ..status };
                (awaited, Vec::new())
            }
            PaidFacts::Never => (status, Vec::new()),
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
            identity_documents: facts.documents.iter().map(ShownDocument::from).collect(),
            name_on_ticket: facts
                .ticketed
                .map(|name| NameOnTicket { given_name: name.given_name, family_name: name.family_name }),
            loyalty_programme_accounts: [],
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Catalogue, date, family_return};
    use super::*;
    use crate::api::code::Code;
    use crate::ids::Id;
    use crate::ticketing::Obstacle;
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
            documents: Vec::new(),
            ticketed: None,
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
            synced_at: Timestamp::from_millis(1_790_000_000_000).unwrap(),
            paid,
            cancelled_at: None,
            cancellation: None,
            void_window_ends_at: None,
            airline_changes: Vec::new(),
            actions: Actions { available: vec![Action::Cancel, Action::Update], unavailable: Vec::new() },
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
        let order = shown(PaidFacts::Awaited(HoldTerms { payment_required_by: until, price_guaranteed_until: None }));
        assert_eq!(order["payment_status"]["awaiting_payment"], json!(true));
        assert_eq!(order["payment_status"]["payment_required_by"], json!("2026-09-21T14:13:20.000000Z"));
        assert_eq!((&order["payment_status"]["paid_at"], &order["payments"]), (&json!(null), &json!([])));
        let never = shown(PaidFacts::Never);
        assert_eq!(never["payment_status"]["awaiting_payment"], json!(false));
        assert_eq!(never["payment_status"]["payment_required_by"], json!(null));
    }

    #[test]
    fn every_obstacle_has_a_page_and_its_words_are_a_sentence() {
        let at = Timestamp::from_millis(1_790_000_000_000).unwrap();
        let obstacles = [
            Obstacle::Cancelled(at),
            Obstacle::AlreadyPaid,
            Obstacle::AwaitingPayment,
            Obstacle::PaymentWindowClosed(at),
            Obstacle::VoidWindowClosed,
            Obstacle::CouponNotOpen { ticket: "9992100000001".into(), coupon: 1, status: "F".into() },
        ];
        for obstacle in obstacles {
            assert!(Code::find(obstacle.code()).is_some(), "{obstacle:?}");
        }
        assert_eq!(sentence(&Obstacle::VoidWindowClosed.to_string()), "The void window is closed.");
    }
}
