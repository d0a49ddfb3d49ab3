use super::FARE_ZONE;
use super::conditions::ticketed_by;
use super::offer::PricedOffer;
use crate::catalogue::holds::HoldTerms;
use crate::catalogue::{AirportCode, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use chrono::TimeZone;

/// Whether an offer made at `offered_at` can be held, and until when: what the offer shows is what its order gets. `None` where it has to be
/// paid at once.
pub fn hold_terms(catalogue: &Catalogue, offer: &PricedOffer, offered_at: Timestamp) -> Option<HoldTerms> {
    let rule = catalogue.holds.of(CarrierCode::parse(&offer.carrier)?, offered_at.date_in(FARE_ZONE))?;
    let terms = rule.terms(offered_at, first_departure(catalogue, offer)?)?;
    // What has to be bought in advance is paid for by then.
    let ticketed_by = ticketed_by(catalogue, offer, offered_at.date_in(FARE_ZONE)).unwrap_or(terms.payment_required_by);
    let payment_required_by = terms.payment_required_by.min(ticketed_by);
    let price_guaranteed_until = terms.price_guaranteed_until.map(|until| until.min(payment_required_by));
    (offered_at < payment_required_by).then_some(HoldTerms { payment_required_by, price_guaranteed_until })
}

fn first_departure(catalogue: &Catalogue, offer: &PricedOffer) -> Option<Timestamp> {
    let departures = offer.segments().filter_map(|segment| {
        let zone = catalogue.airports.get(AirportCode::parse(&segment.origin)?)?.zone;
        let local = zone.from_local_datetime(&segment.departing_at).earliest()?;
        Some(Timestamp::from(local.to_utc()))
    });
    departures.min()
}
