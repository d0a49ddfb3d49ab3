//! One ticket, as velocity sees it.

use crate::audit::ActorId;
use crate::clock::Timestamp;
use crate::ids::{AgencyId, AirlineId};
use crate::money::Currency;
use std::fmt;

/// Where a ticket's first flight goes: two codes of three letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route([u8; 6]);

impl Route {
    pub fn of(origin: &str, destination: &str) -> Self {
        let mut letters = [b'-'; 6];
        for (place, letter) in letters.iter_mut().zip(origin.bytes().take(3).chain(destination.bytes().take(3))) {
            *place = letter;
        }
        Route(letters)
    }

    /// Six letters, as they are counted by the day.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Route::of(text.get(..3)?, text.get(3..6)?)).filter(|_| text.len() == 6)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    pub agency: AgencyId,
    pub by: ActorId,
    pub airline: AirlineId,
    pub route: Route,
    pub currency: Currency,
    pub price_minor: i64,
    pub at: Timestamp,
    /// On the agency's wall clock.
    pub hour: u32,
    /// Its first flight.
    pub departs_at: Timestamp,
}
