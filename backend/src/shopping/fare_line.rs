//! The fare calculation line of a ticket, in the trade's notation: `BJS CA SHA950.00CNY950.00END`.

use super::offer::{PricedOffer, PricedPassenger};
use crate::catalogue::Catalogue;
use crate::money::{Money, MoneyError};

/// Cities with the carrier between them, `X/` before a city where one only changes, the fare of each slice after its last city, then
/// currency, sum and `END`. A place that has no city in the catalogue stands under its own code.
pub fn fare_calculation(catalogue: &Catalogue, offer: &PricedOffer, passenger: &PricedPassenger) -> Result<String, MoneyError> {
    let currency = offer.currency()?;
    let city = |airport: &str| catalogue.airports.find(airport).map_or(airport.to_owned(), |found| found.city.to_string());
    let mut line = String::new();
    let mut at = String::new();
    let mut coupons = passenger.coupons.iter();
    for slice in &offer.slices {
        let from = city(&slice.origin);
        if at.is_empty() {
            line.push_str(&from);
        } else if at != from {
            // A gap on the ground between two slices.
            line.push_str(&format!("/-{from}"));
        }
        let mut fare = Money::zero(currency);
        for (index, segment) in slice.segments.iter().enumerate() {
            let changes = if index + 1 < slice.segments.len() { "X/" } else { "" };
            at = city(&segment.destination);
            line.push_str(&format!(" {} {changes}{at}", segment.carrier));
            let share = coupons.next().map_or(0, |coupon| coupon.base_minor);
            fare = fare.checked_add(Money::new(share, currency))?;
        }
        line.push_str(&fare.to_string());
    }
    let sum = Money::new(passenger.base_minor, currency);
    Ok(format!("{line}{currency}{sum}END"))
}
