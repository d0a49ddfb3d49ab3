//! What a sale is priced from: the catalogue, the private fares of the agency that sells, and the journey that they are asked for.

use super::offer::PricedOffer;
use super::price::Booking;
use crate::catalogue::fare_rules::{FareRuleRefusal, Flown, Trip};
use crate::catalogue::fares::FlightFare;
use crate::catalogue::private_fares::{PrivateFareMark, PrivateFares, Sought};
use crate::catalogue::{CarrierCode, Catalogue, PassengerKind};
use crate::money::{Money, MoneyError};

/// Published and private fares. Of the catalogue alone it has no private ones.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'c> {
    pub catalogue: &'c Catalogue,
    pub private: &'c PrivateFares,
}

static NO_PRIVATE_FARES: PrivateFares = PrivateFares::none();

impl<'c> From<&'c Catalogue> for Tariff<'c> {
    fn from(catalogue: &'c Catalogue) -> Self {
        Tariff { catalogue, private: &NO_PRIVATE_FARES }
    }
}

/// One journey on one tariff.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sale<'c> {
    pub tariff: Tariff<'c>,
    pub trip: Trip,
}

/// The codes under which an offer got its private fares.
pub fn codes_of(offer: &PricedOffer) -> Vec<(CarrierCode, String)> {
    let marks =
        offer.passengers.iter().flat_map(|passenger| &passenger.coupons).filter_map(|coupon| coupon.private_fare.as_ref());
    let Some(carrier) = CarrierCode::parse(&offer.carrier) else { return Vec::new() };
    let mut codes: Vec<(CarrierCode, String)> = marks.map(|mark| (carrier, mark.code.clone())).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// What one flight costs one passenger, and whether that is a private fare.
pub(super) struct Fare {
    pub flight: FlightFare,
    pub private: Option<PrivateFareMark>,
}

impl<'c> Sale<'c> {
    pub fn catalogue(&self) -> &'c Catalogue {
        self.tariff.catalogue
    }

    /// None where nothing is filed for this kind of passenger.
    pub fn fare(&self, booking: &Booking<'_>, kind: PassengerKind) -> Result<Option<Fare>, MoneyError> {
        let Booking { leg, rung } = booking;
        let published = self.catalogue().fares.flight_fare(leg.pair, leg.ladder, rung, kind, self.trip.issued_on)?;
        let Some(mut flight) = published else { return Ok(None) };
        if kind != PassengerKind::Adult || self.tariff.private.is_empty() {
            return Ok(Some(Fare { flight, private: None }));
        }
        let sought = Sought {
            carrier: leg.flight.carrier,
            origin: leg.origin,
            destination: leg.destination,
            class: rung.class,
            date: leg.departure.date,
            travellers: self.trip.travellers,
        };
        let private = self.tariff.private.lowest(sought, flight.amount)?.map(|(amount, mark)| {
            // The ticket designator behind the fare basis.
            flight.fare_basis = format!("{}/{}", flight.fare_basis, mark.code);
            flight.amount = amount;
            mark
        });
        Ok(Some(Fare { flight, private }))
    }

    /// The amount of `fare` alone.
    pub fn amount(&self, booking: &Booking<'_>, kind: PassengerKind) -> Result<Option<Money>, MoneyError> {
        if kind == PassengerKind::Adult && !self.tariff.private.is_empty() {
            return Ok(self.fare(booking, kind)?.map(|fare| fare.flight.amount));
        }
        let Booking { leg, rung } = booking;
        self.catalogue().fares.amount(leg.pair, leg.ladder, rung, kind, self.trip.issued_on)
    }

    /// Whether the class may be bought for this flight of the journey.
    pub fn check(&self, booking: &Booking<'_>) -> Result<(), FareRuleRefusal> {
        self.catalogue().fare_rules.check(booking.flown(), self.trip)
    }

    /// Whether these flights may be on one ticket with those.
    pub fn check_combination(&self, these: &[Booking<'_>], those: &[Booking<'_>]) -> Result<(), FareRuleRefusal> {
        let rules = &self.catalogue().fare_rules;
        for one in these.iter().map(Booking::flown) {
            for other in those.iter().map(Booking::flown) {
                rules.check_combination(one, other, self.trip.issued_on)?;
            }
        }
        Ok(())
    }

    /// Whether all slices may be on one ticket.
    pub fn check_all(&self, slices: &[Vec<Booking<'_>>]) -> Result<(), FareRuleRefusal> {
        slices.iter().flatten().try_for_each(|booking| self.check(booking))?;
        for (position, slice) in slices.iter().enumerate() {
            slices.iter().skip(position).try_for_each(|other| self.check_combination(slice, other))?;
        }
        Ok(())
    }
}

impl Booking<'_> {
    fn flown(&self) -> Flown {
        let leg = &self.leg;
        Flown {
            carrier: leg.flight.carrier,
            service: leg.pair.service,
            class: self.rung.class,
            departing_at: leg.departure.departing_at,
        }
    }
}
