//! Distribution: the request and answer shapes that existing air clients know, and their conversion from the domain.
//!
//! Ids of one search come from one block: the offer request has the first, its passengers the following ones, its offers the ones
//! after those. Slices and segments have no id of their own; theirs say which offer or order they are part of and where.

pub mod airline_changes;
pub mod cancelling;
pub mod changing;
pub mod conditions;
pub mod create_order;
pub mod documents;
pub mod editing;
pub mod issued;
mod issuing;
pub mod itinerary;
pub mod names;
pub mod offer;
pub mod offer_passenger;
pub mod offer_request;
pub mod order;
mod order_change;
pub mod ordering;
pub mod passenger;
pub mod paying;
pub mod place;
pub mod pricing;
pub mod reference;
pub mod routes;
pub mod searching;
pub mod webhooks;

#[cfg(test)]
mod sample;

use crate::ids::{Id, OfferId, OfferRequestId, PassengerId};
use crate::shopping::offer::{Cabin, PassengerKind};
use place::{Aircraft, Airline, Airport, City};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the catalogue knows by code. The answers repeat names, so an implementation prepares them once.
pub trait Names {
    fn airport(&self, iata: &str) -> Option<&Airport>;
    /// A metropolitan area, such as `SHA` for Shanghai, with its airports.
    fn city(&self, iata: &str) -> Option<&City>;
    fn airline(&self, iata: &str) -> Option<&Airline>;
    fn aircraft(&self, iata: &str) -> Option<&Aircraft>;
}

/// The id of the `position`-th passenger of a search.
pub fn passenger_id(request: OfferRequestId, position: usize) -> PassengerId {
    PassengerId::of(offset(request, 1 + position))
}

/// The id of the `position`-th offer of a search for `passengers` people.
pub fn offer_id(request: OfferRequestId, passengers: usize, position: usize) -> OfferId {
    OfferId::of(offset(request, 1 + passengers + position))
}

/// How many consecutive ids a search takes.
pub fn ids_of_a_search(passengers: usize, offers: usize) -> usize {
    1 + passengers + offers
}

fn offset(request: OfferRequestId, by: usize) -> i64 {
    request.raw().saturating_add(i64::try_from(by).unwrap_or(i64::MAX))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CabinClass {
    First,
    Business,
    PremiumEconomy,
    Economy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PassengerType {
    Adult,
    Child,
    InfantWithoutSeat,
}

impl CabinClass {
    pub fn marketing_name(self) -> &'static str {
        match self {
            CabinClass::First => "First",
            CabinClass::Business => "Business",
            CabinClass::PremiumEconomy => "Premium Economy",
            CabinClass::Economy => "Economy",
        }
    }
}

impl From<Cabin> for CabinClass {
    fn from(cabin: Cabin) -> Self {
        match cabin {
            Cabin::First => CabinClass::First,
            Cabin::Business => CabinClass::Business,
            Cabin::PremiumEconomy => CabinClass::PremiumEconomy,
            Cabin::Economy => CabinClass::Economy,
        }
    }
}

impl From<CabinClass> for Cabin {
    fn from(class: CabinClass) -> Self {
        match class {
            CabinClass::First => Cabin::First,
            CabinClass::Business => Cabin::Business,
            CabinClass::PremiumEconomy => Cabin::PremiumEconomy,
            CabinClass::Economy => Cabin::Economy,
        }
    }
}

impl From<PassengerKind> for PassengerType {
    fn from(kind: PassengerKind) -> Self {
        match kind {
            PassengerKind::Adult => PassengerType::Adult,
            PassengerKind::Child => PassengerType::Child,
            PassengerKind::Infant => PassengerType::InfantWithoutSeat,
        }
    }
}

impl From<PassengerType> for PassengerKind {
    fn from(kind: PassengerType) -> Self {
        match kind {
            PassengerType::Adult => PassengerKind::Adult,
            PassengerType::Child => PassengerKind::Child,
            PassengerType::InfantWithoutSeat => PassengerKind::Infant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_ids_of_a_search_are_distinct_and_fill_its_block() {
        let request = OfferRequestId::of(1_000);
        let mut raw: Vec<i64> = vec![request.raw()];
        raw.extend((0..3).map(|position| passenger_id(request, position).raw()));
        raw.extend((0..5).map(|position| offer_id(request, 3, position).raw()));
        assert_eq!(raw, (1_000..1_009).collect::<Vec<i64>>());
        assert_eq!(raw.iter().collect::<HashSet<_>>().len(), ids_of_a_search(3, 5));
    }
}
