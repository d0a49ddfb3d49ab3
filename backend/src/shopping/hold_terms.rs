use super::FARE_ZONE;
use super::offer::PricedOffer;
use crate::catalogue::holds::HoldTerms;
use crate::catalogue::{AirportCode, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use chrono::TimeZone;

/// Whether an offer made at `offered_at` can be held, and until when: what the offer shows is what its order gets. `None` where it has to be
/// paid at once.
pub fn hold_terms(catalogue: &Catalogue, offer: &PricedOffer, offered_at: Timestamp) -> Option<HoldTerms> {
    let rule = catalogue.holds.of(CarrierCode::parse(&offer.carrier)?, offered_at.date_in(FARE_ZONE))?;
    rule.terms(offered_at, first_departure(catalogue, offer)?)
}

fn first_departure(catalogue: &Catalogue, offer: &PricedOffer) -> Option<Timestamp> {
    let departures = offer.segments().filter_map(|segment| {
        let zone = catalogue.airports.get(AirportCode::parse(&segment.origin)?)?.zone;
        let local = zone.from_local_datetime(&segment.departing_at).earliest()?;
        Some(Timestamp::from(local.to_utc()))
    });
    departures.min()
}
