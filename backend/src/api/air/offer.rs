//! An offer as it is shown.

use super::conditions::{Rules, ShownConditions};
use super::documents::document_types;
use super::itinerary::{Conditions, Slice, slices};
use super::place::Airline;
use super::{Names, PassengerType, passenger_id};
use crate::catalogue::holds::HoldTerms;
use crate::clock::Timestamp;
use crate::ids::{OfferId, OfferRequestId, PassengerId};
use crate::money::{Money, MoneyError};
use crate::shopping::offer::PricedOffer;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Offer {
    #[schema(example = "off_0d3k8w2m5q7ha")]
    pub id: String,
    pub live_mode: bool,
    /// True where schedule and fare are generated demonstration data.
    pub demo: bool,
    pub created_at: String,
    pub updated_at: String,
    /// Until when it can be ordered.
    pub expires_at: String,
    pub owner: Airline,
    pub slices: Vec<Slice>,
    pub passengers: Vec<OfferPassenger>,
    #[schema(example = "950.00")]
    pub base_amount: String,
    #[schema(example = "CNY")]
    pub base_currency: String,
    pub tax_amount: Option<String>,
    pub tax_currency: Option<String>,
    #[schema(example = "1000.00")]
    pub total_amount: String,
    pub total_currency: String,
    pub total_emissions_kg: Option<String>,
    /// At this moment, for all passengers, if the whole is given back or changed.
    pub conditions: Conditions,
    /// Extension: every step of the conditions with its times, in the time of the first departure. Only where one offer is read, otherwise null.
    pub airsettle_rules: Option<Rules>,
    pub payment_requirements: PaymentRequirements,
    pub passenger_identity_documents_required: bool,
    pub supported_passenger_identity_document_types: Vec<&'static str>,
    pub supported_loyalty_programmes: Vec<String>,
    /// Always empty: nothing is sold beside the flight.
    #[schema(value_type = Vec<Object>)]
    pub available_services: [(); 0],
    #[schema(value_type = Vec<Object>)]
    pub private_fares: [(); 0],
    pub partial: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferPassenger {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: PassengerType,
    pub age: Option<u8>,
    pub fare_type: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    #[schema(value_type = Vec<Object>)]
    pub loyalty_programme_accounts: [(); 0],
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PaymentRequirements {
    /// False where it can be ordered with type `hold` and paid later.
    pub requires_instant_payment: bool,
    /// Until when an order that is held has to be paid.
    pub payment_required_by: Option<String>,
    /// Until when its price stays; null where it is not guaranteed.
    pub price_guarantee_expires_at: Option<String>,
}

impl From<Option<HoldTerms>> for PaymentRequirements {
    fn from(hold: Option<HoldTerms>) -> Self {
        PaymentRequirements {
            requires_instant_payment: hold.is_none(),
            payment_required_by: hold.map(|terms| terms.payment_required_by.to_string()),
            price_guarantee_expires_at: hold.and_then(|terms| terms.price_guaranteed_until).map(|until| until.to_string()),
        }
    }
}

/// Live or test data, as the key's prefix chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Live,
    Test,
}

impl Mode {
    pub fn is_live(self) -> bool {
        self == Mode::Live
    }
}

/// What is known about an offer beside its content.
#[derive(Clone, Debug)]
pub struct OfferFacts {
    pub id: OfferId,
    pub request: OfferRequestId,
    pub mode: Mode,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `None` where it has to be paid at once.
    pub hold: Option<HoldTerms>,
    pub conditions: ShownConditions,
}

/// The price in its three parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub base: Money,
    pub tax: Money,
    pub total: Money,
}

impl Price {
    pub fn of(offer: &PricedOffer) -> Result<Self, MoneyError> {
        let currency = offer.currency()?;
        let base = Money::sum(currency, offer.passengers.iter().map(|passenger| Money::new(passenger.base_minor, currency)))?;
        let total = offer.total()?;
        Ok(Price { base, tax: total.checked_sub(base)?, total })
    }
}

/// The ids of the passengers of an offer of this search.
pub fn passenger_ids(request: OfferRequestId, offer: &PricedOffer) -> Vec<PassengerId> {
    (0..offer.passengers.len()).map(|position| passenger_id(request, position)).collect()
}

impl Offer {
    pub fn new(offer: &PricedOffer, facts: OfferFacts, names: &dyn Names) -> Result<Self, MoneyError> {
        let price = Price::of(offer)?;
        let currency = price.total.currency.to_string();
        let ids = passenger_ids(facts.request, offer);
        let id = facts.id.to_string();
        let passengers = offer.passengers.iter().zip(&ids).map(|(priced, id)| OfferPassenger {
            id: id.to_string(),
            kind: PassengerType::from(priced.kind),
            age: priced.age,
            fare_type: None,
            given_name: None,
            family_name: None,
            loyalty_programme_accounts: [],
        });
        Ok(Offer {
            live_mode: facts.mode.is_live(),
            demo: offer.demo,
            created_at: facts.created_at.to_string(),
            updated_at: facts.created_at.to_string(),
            expires_at: facts.expires_at.to_string(),
            owner: Airline::named(names, &offer.carrier),
            slices: slices(offer, &id, &ids, &facts.conditions.slices, names),
            passengers: passengers.collect(),
            base_amount: price.base.to_string(),
            base_currency: currency.clone(),
            tax_amount: Some(price.tax.to_string()),
            tax_currency: Some(currency.clone()),
            total_amount: price.total.to_string(),
            total_currency: currency,
            total_emissions_kg: None,
            conditions: facts.conditions.whole,
            airsettle_rules: facts.conditions.rules,
            payment_requirements: PaymentRequirements::from(facts.hold),
            passenger_identity_documents_required: false,
            supported_passenger_identity_document_types: document_types(),
            supported_loyalty_programmes: Vec::new(),
            available_services: [],
            private_fares: [],
            partial: false,
            id,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::offer_id;
    use super::super::sample::{Catalogue, family_return};
    use super::*;
    use crate::ids::Id;
    use serde_json::{json, to_value};

    #[test]
    fn an_offer_shows_price_passengers_and_expiry() {
        let request = OfferRequestId::of(100);
        let now = Timestamp::from_millis(1_790_000_000_000).unwrap();
        let facts = OfferFacts {
            id: offer_id(request, 3, 0),
            request,
            mode: Mode::Test,
            created_at: now,
            expires_at: now.plus(chrono::Duration::minutes(20)),
            hold: Some(HoldTerms { payment_required_by: now.plus(chrono::Duration::hours(24)), price_guaranteed_until: None }),
            conditions: ShownConditions::default(),
        };
        let shown = to_value(Offer::new(&family_return(), facts, &Catalogue::small()).unwrap()).unwrap();
        assert_eq!(shown["id"], json!(OfferId::of(104).to_string()));
        assert_eq!((&shown["base_amount"], &shown["tax_amount"]), (&json!("4800.00"), &json!("150.00")));
        assert_eq!((&shown["total_amount"], &shown["total_currency"]), (&json!("4950.00"), &json!("CNY")));
        assert_eq!((&shown["live_mode"], &shown["demo"]), (&json!(false), &json!(true)));
        assert_eq!(shown["passengers"][2]["type"], json!("infant_without_seat"));
        assert_eq!(shown["passengers"][1]["age"], json!(11));
        assert_eq!(shown["passengers"][1]["id"], shown["slices"][0]["segments"][0]["passengers"][1]["passenger_id"]);
        let hold = &shown["payment_requirements"];
        assert_eq!((&hold["requires_instant_payment"], &hold["price_guarantee_expires_at"]), (&json!(false), &json!(null)));
        assert_eq!(hold["payment_required_by"], json!("2026-09-22T14:13:20.000000Z"));
        assert_eq!(to_value(PaymentRequirements::from(None)).unwrap()["requires_instant_payment"], json!(true));
        assert_eq!(shown["available_services"], json!([]));
        assert!(shown["expires_at"].as_str() > shown["created_at"].as_str());
    }
}
