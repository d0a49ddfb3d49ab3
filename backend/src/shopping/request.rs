//! What a client asks for, and why it can be refused before anything is looked up.

use crate::catalogue::{Airport, Cabin, Catalogue, PassengerKind};
use crate::clock::Timestamp;
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

pub const LONGEST_ADVANCE_DAYS: u64 = 330;
pub const MOST_SEATED_PASSENGERS: usize = 9;
/// With a connection each they are as many flights as one ticket has coupons.
pub const MOST_SLICES: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRequest {
    /// One for one way, two for a return, up to eight for a journey through several places.
    pub slices: Vec<SearchSlice>,
    pub passengers: Vec<SearchPassenger>,
    pub cabin: Option<Cabin>,
    /// Per slice: 0 or 1.
    pub max_connections: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchSlice {
    /// An airport or a city code.
    pub origin: String,
    pub destination: String,
    /// Local date at the origin.
    pub departure_date: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SearchPassenger {
    pub kind: PassengerKind,
    /// In years on the first day of travel.
    pub age: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Origin,
    Destination,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchRefusal {
    #[error("an offer request has at least one slice")]
    NoSlices,
    #[error("a ticket has at most 16 coupons: at most {MOST_SLICES} slices, with a connection each")]
    TooManyCoupons,
    #[error("{code:?} is neither an airport nor a city")]
    UnknownPlace { slice: usize, end: End, code: String },
    #[error("origin and destination are the same city")]
    SamePlace { slice: usize },
    #[error("the departure date is in the past")]
    DateInPast { slice: usize },
    #[error("the departure date is more than {LONGEST_ADVANCE_DAYS} days ahead")]
    DateTooFar { slice: usize },
    #[error("a slice departs before the one in front of it")]
    BeforeSlice { slice: usize },
    #[error("there is no passenger")]
    NoPassengers,
    #[error("at most {MOST_SEATED_PASSENGERS} passengers with a seat travel on one order")]
    TooManyPassengers,
    #[error("every infant needs an adult's lap")]
    TooManyInfants,
    #[error("children and infants travel with an adult")]
    NoAdult,
    #[error("an adult is 12 or older, a child 2 to 11, an infant under 2")]
    AgeDoesNotFit { passenger: usize },
    #[error("at most one connection per slice")]
    TooManyConnections,
}

impl SearchRefusal {
    /// The part of the request that it is about, as a path: `slices/0/origin`.
    pub fn field(&self) -> String {
        match self {
            SearchRefusal::NoSlices | SearchRefusal::TooManyCoupons => "slices".to_owned(),
            SearchRefusal::UnknownPlace { slice, end: End::Origin, .. } => format!("slices/{slice}/origin"),
            SearchRefusal::UnknownPlace { slice, end: End::Destination, .. } | SearchRefusal::SamePlace { slice } => {
                format!("slices/{slice}/destination")
            }
            SearchRefusal::DateInPast { slice } | SearchRefusal::DateTooFar { slice } | SearchRefusal::BeforeSlice { slice } => {
                format!("slices/{slice}/departure_date")
            }
            SearchRefusal::NoPassengers
            | SearchRefusal::TooManyPassengers
            | SearchRefusal::TooManyInfants
            | SearchRefusal::NoAdult => "passengers".to_owned(),
            SearchRefusal::AgeDoesNotFit { passenger } => format!("passengers/{passenger}/age"),
            SearchRefusal::TooManyConnections => "max_connections".to_owned(),
        }
    }
}

/// A slice whose places are known.
pub(super) struct Journey<'c> {
    pub origins: Vec<&'c Airport>,
    pub destinations: Vec<&'c Airport>,
    pub date: NaiveDate,
}

impl SearchRequest {
    pub fn seats_needed(&self) -> i64 {
        let seated = self.passengers.iter().filter(|passenger| passenger.kind.takes_a_seat()).count();
        i64::try_from(seated).unwrap_or(i64::MAX)
    }

    /// Checks everything; the first refusal in the order of the request.
    pub(super) fn journeys<'c>(&self, catalogue: &'c Catalogue, now: Timestamp) -> Result<Vec<Journey<'c>>, SearchRefusal> {
        match self.slices.len() {
            0 => return Err(SearchRefusal::NoSlices),
            1..=MOST_SLICES => {}
            _ => return Err(SearchRefusal::TooManyCoupons),
        }
        let journeys: Vec<_> = self
            .slices
            .iter()
            .enumerate()
            .map(|(index, slice)| slice.journey(catalogue, index, now))
            .collect::<Result<_, _>>()?;
        let backwards = journeys.windows(2).position(|pair| matches!(pair, [one, next] if next.date < one.date));
        if let Some(before) = backwards {
            return Err(SearchRefusal::BeforeSlice { slice: before + 1 });
        }
        self.check_passengers()?;
        if self.max_connections > 1 {
            return Err(SearchRefusal::TooManyConnections);
        }
        Ok(journeys)
    }

    fn check_passengers(&self) -> Result<(), SearchRefusal> {
        let count = |kind| self.passengers.iter().filter(|passenger| passenger.kind == kind).count();
        let (adults, infants) = (count(PassengerKind::Adult), count(PassengerKind::Infant));
        if self.passengers.is_empty() {
            return Err(SearchRefusal::NoPassengers);
        }
        if let Some(passenger) = self.passengers.iter().position(|passenger| !passenger.age_fits()) {
            return Err(SearchRefusal::AgeDoesNotFit { passenger });
        }
        if adults == 0 {
            return Err(SearchRefusal::NoAdult);
        }
        if infants > adults {
            return Err(SearchRefusal::TooManyInfants);
        }
        if self.passengers.len() - infants > MOST_SEATED_PASSENGERS {
            return Err(SearchRefusal::TooManyPassengers);
        }
        Ok(())
    }
}

impl SearchSlice {
    fn journey<'c>(&self, catalogue: &'c Catalogue, slice: usize, now: Timestamp) -> Result<Journey<'c>, SearchRefusal> {
        let place = |end, code: &str| {
            let airports = catalogue.airports.meant_by(code);
            let code = || code.chars().take(16).collect();
            if airports.is_empty() { Err(SearchRefusal::UnknownPlace { slice, end, code: code() }) } else { Ok(airports) }
        };
        let origins = place(End::Origin, &self.origin)?;
        let destinations = place(End::Destination, &self.destination)?;
        if city(&origins) == city(&destinations) {
            return Err(SearchRefusal::SamePlace { slice });
        }
        let today = origins.first().map_or(now.naive().date(), |airport| now.date_in(airport.zone));
        if self.departure_date < today {
            return Err(SearchRefusal::DateInPast { slice });
        }
        let last = today.checked_add_days(Days::new(LONGEST_ADVANCE_DAYS)).unwrap_or(today);
        if self.departure_date > last {
            return Err(SearchRefusal::DateTooFar { slice });
        }
        Ok(Journey { origins, destinations, date: self.departure_date })
    }
}

impl SearchPassenger {
    fn age_fits(self) -> bool {
        self.age.is_none_or(|age| match self.kind {
            PassengerKind::Adult => age >= 12,
            PassengerKind::Child => (2..12).contains(&age),
            PassengerKind::Infant => age < 2,
        })
    }
}

fn city(airports: &[&Airport]) -> Option<crate::catalogue::CityCode> {
    airports.first().map(|airport| airport.city)
}
