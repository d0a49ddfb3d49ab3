//! The body that orders an offer, and its validation against that offer: all that is wrong is named at once.
//!
//! The caller reads the offer's id first ([`CreateOrder::offer_id`]), loads the offer, then calls [`CreateOrder::validate`].

use super::documents::{CreateDocument, documents};
use super::passenger::{TravelDates, check_birth, check_email, check_name, check_phone};
use crate::api::code::Code;
use crate::api::error::{ApiError, Item, Problems};
use crate::api::fields::escaped;
use crate::ids::{Id, OfferId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::PersonDocument;
use crate::shopping::offer::{PassengerKind, PricedOffer};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use utoipa::ToSchema;

const MAX_METADATA: usize = 50;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_VALUE: usize = 500;

/// Fields that are not listed are ignored: other platforms take more.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateOrder {
    #[serde(rename = "type")]
    pub kind: OrderType,
    /// Exactly one offer.
    pub selected_offers: Vec<String>,
    pub passengers: Vec<CreateOrderPassenger>,
    /// One payment for an instant order, none for one that is held.
    pub payments: Option<Vec<CreatePayment>>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<BTreeMap<String, Value>>,
    /// Nothing is sold beside the flight: absent or empty.
    #[schema(value_type = Option<Vec<Object>>)]
    pub services: Option<Vec<Value>>,
    /// Accepted and not used.
    #[schema(value_type = Option<Vec<String>>)]
    pub users: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    Instant,
    /// Seats are held and paid for later; `pay_later` means the same.
    #[serde(alias = "pay_later")]
    Hold,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateOrderPassenger {
    /// The passenger of the offer that this is.
    pub id: String,
    pub title: Title,
    pub gender: Gender,
    pub given_name: String,
    pub family_name: String,
    #[schema(example = "1990-12-31")]
    pub born_on: String,
    /// Required for adults.
    pub email: Option<String>,
    /// E.164; required for adults.
    #[schema(example = "+8613800138000")]
    pub phone_number: Option<String>,
    /// The infant on this adult's lap.
    pub infant_passenger_id: Option<String>,
    /// One of a kind.
    pub identity_documents: Option<Vec<CreateDocument>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Title {
    Mr,
    Ms,
    Mrs,
    Miss,
    Dr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    M,
    F,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = CreateOrderPayment)]
pub struct CreatePayment {
    /// `arc_bsp_cash`: on the agency's credit. `balance`: in the order that the agency has set up.
    #[serde(rename = "type")]
    #[schema(example = "balance")]
    pub kind: String,
    #[schema(example = "1000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
}

/// How an order is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentType {
    /// On credit.
    ArcBspCash,
    /// In the agency's own order: credit then wallet, or wallet only.
    Balance,
}

/// An order whose every field has been checked against its offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidOrder {
    pub kind: OrderType,
    pub offer: OfferId,
    /// In the order of the offer's passengers.
    pub passengers: Vec<ValidPassenger>,
    /// Present exactly for an instant order; its amount is the offer's total.
    pub payment: Option<ValidPayment>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidPayment {
    pub kind: PaymentType,
    pub amount: Money,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidPassenger {
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
}

impl CreateOrder {
    /// The offer to be ordered, before anything else is looked at.
    pub fn offer_id(&self) -> Result<OfferId, ApiError> {
        match self.selected_offers.as_slice() {
            [id] => OfferId::parse(id).map_err(|error| Item::bad_id(&error, "/data/selected_offers/0").into()),
            _ => Err(ApiError::new(Code::InvalidValue, "An order is for exactly one offer.").at("/data/selected_offers")),
        }
    }

    /// `ids` are the offer's passengers in its order.
    pub fn validate(&self, offer: &PricedOffer, ids: &[PassengerId]) -> Result<ValidOrder, ApiError> {
        let id = self.offer_id()?;
        let total = offer.total().map_err(ApiError::internal)?;
        let mut problems = Problems::default();
        let travel = travel_dates(offer).ok_or_else(|| ApiError::internal("an offer without flights"))?;
        let passengers = self.passengers(offer, ids, travel, &mut problems);
        let payment = self.payment(total, &mut problems);
        let metadata = metadata(self.metadata.as_ref(), "/data/metadata", &mut problems);
        if self.services.as_ref().is_some_and(|services| !services.is_empty()) {
            problems.add(Code::InvalidValue, "/data/services", "Nothing is sold beside the flight.");
        }
        problems.finish()?;
        Ok(ValidOrder { kind: self.kind, offer: id, passengers, payment, metadata })
    }

    fn passengers(
        &self,
        offer: &PricedOffer,
        ids: &[PassengerId],
        travel: TravelDates,
        problems: &mut Problems,
    ) -> Vec<ValidPassenger> {
        let mut left: HashMap<PassengerId, (usize, PassengerKind, Option<u8>)> = HashMap::new();
        for (position, (priced, id)) in offer.passengers.iter().zip(ids).enumerate() {
            left.insert(*id, (position, priced.kind, priced.age));
        }
        let mut seated = Vec::with_capacity(self.passengers.len());
        for (index, body) in self.passengers.iter().enumerate() {
            let pointer = format!("/data/passengers/{index}");
            let Some(id) = problems.check(body.id(&pointer)) else { continue };
            let Some((position, kind, age)) = left.remove(&id) else {
                let message = "This is not a passenger of the offer, or is here twice.";
                problems.add(Code::PassengerMismatch, format!("{pointer}/id"), message);
                continue;
            };
            seated.push((position, index, body.read(&pointer, id, (kind, age, travel), problems)));
        }
        let mut missing: Vec<(usize, PassengerId)> = left.iter().map(|(id, (position, ..))| (*position, *id)).collect();
        missing.sort_unstable();
        for (_, id) in missing {
            problems.add(Code::PassengerMismatch, "/data/passengers", format!("Passenger {id} of the offer is missing."));
        }
        check_infants(&seated, problems);
        seated.sort_by_key(|(position, ..)| *position);
        seated.into_iter().map(|(_, _, passenger)| passenger).collect()
    }

    fn payment(&self, total: Money, problems: &mut Problems) -> Option<ValidPayment> {
        let payments = self.payments.as_deref().unwrap_or_default();
        match (self.kind, payments) {
            (OrderType::Instant, [payment]) => payment.read("/data/payments/0", total, problems),
            (OrderType::Instant, []) => {
                problems.add(Code::MissingField, "/data/payments", "An instant order is paid for: `payments` is missing.");
                None
            }
            (OrderType::Instant, _) => {
                problems.add(Code::PaymentAmountMismatch, "/data/payments", "One payment pays one order.");
                None
            }
            (OrderType::Hold, []) => None,
            (OrderType::Hold, _) => {
                problems.add(Code::InvalidValue, "/data/payments", "An order that is held is paid for later.");
                None
            }
        }
    }
}

/// Every infant of the order is on exactly one adult's lap.
fn check_infants(seated: &[(usize, usize, ValidPassenger)], problems: &mut Problems) {
    let of_kind = |kind: PassengerKind| seated.iter().filter(move |(_, _, passenger)| passenger.kind == kind);
    let infants: HashSet<PassengerId> = of_kind(PassengerKind::Infant).map(|(_, _, infant)| infant.id).collect();
    let mut carried = HashSet::new();
    for (_, index, passenger) in seated {
        let Some(infant) = passenger.infant else { continue };
        let message = match passenger.kind {
            PassengerKind::Adult if !infants.contains(&infant) => "This is not an infant of the order.",
            PassengerKind::Adult if !carried.insert(infant) => "This infant is with another adult already.",
            PassengerKind::Adult => continue,
            PassengerKind::Child | PassengerKind::Infant => "Only an adult takes an infant.",
        };
        problems.add(Code::PassengerMismatch, format!("/data/passengers/{index}/infant_passenger_id"), message);
    }
    for (_, index, infant) in of_kind(PassengerKind::Infant).filter(|(_, _, infant)| !carried.contains(&infant.id)) {
        let message = format!("No adult names {} as `infant_passenger_id`.", infant.id);
        problems.add(Code::PassengerMismatch, format!("/data/passengers/{index}"), message);
    }
}

/// What was priced for a passenger: kind, declared age, dates of travel.
type Priced = (PassengerKind, Option<u8>, TravelDates);

impl CreateOrderPassenger {
    fn id(&self, pointer: &str) -> Result<PassengerId, Item> {
        PassengerId::parse(&self.id).map_err(|error| Item::bad_id(&error, format!("{pointer}/id")))
    }

    fn read(&self, pointer: &str, id: PassengerId, priced: Priced, problems: &mut Problems) -> ValidPassenger {
        let (kind, age, travel) = priced;
        let invalid = |field: &str, result: Result<(), String>| {
            result.map_err(|message| Item::new(Code::InvalidPassenger, message).at(format!("{pointer}/{field}")))
        };
        problems.check(invalid("given_name", check_name(&self.given_name)));
        problems.check(invalid("family_name", check_name(&self.family_name)));
        for (field, value, check) in [
            ("email", &self.email, check_email as fn(&str) -> Result<(), String>),
            ("phone_number", &self.phone_number, check_phone),
        ] {
            match value {
                Some(value) => drop(problems.check(invalid(field, check(value)))),
                None if kind == PassengerKind::Adult => {
                    problems.add(Code::MissingField, format!("{pointer}/{field}"), format!("`{field}` is missing."));
                }
                None => {}
            }
        }
        let infant = self.infant_passenger_id.as_deref().and_then(|text| {
            let at = format!("{pointer}/infant_passenger_id");
            problems.check(PassengerId::parse(text).map_err(|error| Item::bad_id(&error, at)))
        });
        let born_on = check_birth(&self.born_on, kind, age, travel);
        let born_on = born_on.map_err(|message| Item::new(Code::InvalidPassenger, message).at(format!("{pointer}/born_on")));
        let born_on = problems.check(born_on);
        let given = self.identity_documents.as_deref().unwrap_or_default();
        let documents = documents(given, &format!("{pointer}/identity_documents"), born_on, travel, problems);
        ValidPassenger {
            id,
            kind,
            title: self.title,
            gender: self.gender,
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            // A passenger without a date of birth still counts when the infants are matched.
            born_on: born_on.unwrap_or(travel.first),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
            infant,
            documents,
        }
    }
}

impl CreatePayment {
    /// A payment of exactly this total.
    pub fn read(&self, pointer: &str, total: Money, problems: &mut Problems) -> Option<ValidPayment> {
        let kind = PaymentType::parse(&self.kind);
        if kind.is_none() {
            problems.add(Code::PaymentTypeNotSupported, format!("{pointer}/type"), Code::PaymentTypeNotSupported.documentation());
        }
        let currency = Currency::parse(&self.currency).map_err(|error| Item::money(&error, format!("{pointer}/currency")));
        let currency = problems.check(currency)?;
        let amount = Money::parse(&self.amount, currency).map_err(|error| Item::money(&error, format!("{pointer}/amount")));
        let amount = problems.check(amount)?;
        if currency != total.currency {
            let message = format!("The price is in {}.", total.currency);
            problems.add(Code::CurrencyMismatch, format!("{pointer}/currency"), message);
        } else if amount != total {
            let message = format!("The price is {total} {currency}.");
            problems.add(Code::PaymentAmountMismatch, format!("{pointer}/amount"), message);
        }
        kind.map(|kind| ValidPayment { kind, amount })
    }
}

impl PaymentType {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "arc_bsp_cash" => Some(PaymentType::ArcBspCash),
            "balance" => Some(PaymentType::Balance),
            _ => None,
        }
    }
}

/// At most 50 pairs of short texts, which the client keeps with an object for its own use.
pub fn metadata(body: Option<&BTreeMap<String, Value>>, pointer: &str, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    let Some(body) = body else { return kept };
    if body.len() > MAX_METADATA {
        problems.add(Code::InvalidValue, pointer, format!("Metadata has at most {MAX_METADATA} pairs."));
        return kept;
    }
    for (key, value) in body {
        let here = format!("{pointer}/{}", escaped(key));
        let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !plain || !(1..=MAX_METADATA_KEY).contains(&key.len()) {
            let message = format!("A metadata key is 1 to {MAX_METADATA_KEY} letters, digits, hyphens and underscores.");
            problems.add(Code::InvalidValue, here, message);
            continue;
        }
        match value {
            Value::String(text) if text.chars().count() <= MAX_METADATA_VALUE => {
                kept.insert(key.clone(), text.clone());
            }
            Value::String(_) => {
                problems.add(Code::InvalidValue, here, format!("A metadata value has at most {MAX_METADATA_VALUE} characters."));
            }
            _ => problems.add(Code::InvalidType, here, "A metadata value is a string."),
        }
    }
    kept
}

fn travel_dates(offer: &PricedOffer) -> Option<TravelDates> {
    let days = || offer.segments().map(|segment| segment.departing_at.date());
    Some(TravelDates { first: days().min()?, last: days().max()? })
}

#[cfg(test)]
mod tests;
