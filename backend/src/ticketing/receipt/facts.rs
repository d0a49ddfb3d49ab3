//! What a receipt says, read from what was sold.

use super::super::coupon::CouponStatus;
use super::super::exchange::exchanges_of;
use super::super::journey::journey;
use super::super::ticket::{CouponRow, IssuedOrder, TicketRow, issued_orders, ticket_numbers};
use crate::agencies::{Agency, agency};
use crate::catalogue::{Airport, Catalogue};
use crate::clock::Timestamp;
use crate::db::{Db, DbError, stored_currency};
use crate::ids::{AgencyId, Id, OrderId, TicketId};
use crate::interchange::pdf::PdfError;
use crate::money::{Currency, Money, MoneyError};
use crate::ordering::{PassengerRow, Person, PersonKeyRow, Sealed, Vault, VaultError, order};
use crate::shopping::conditions::{Conditions, airport_of, slice_conditions};
use chrono::NaiveDateTime;
use chrono_tz::Tz;

#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("nothing was issued yet")]
    NotIssued,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Pdf(#[from] PdfError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What became of a ticket as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Valid,
    Void,
    Refunded,
    PartlyRefunded,
    TaxesRefunded,
    Exchanged,
}

#[derive(Clone, Debug)]
pub struct Receipt {
    pub booking_reference: String,
    pub agency: String,
    pub agency_code: String,
    pub tickets: Vec<TicketFacts>,
}

#[derive(Clone, Debug)]
pub struct TicketFacts {
    pub numbers: Vec<String>,
    pub standing: Standing,
    /// None where the person was erased.
    pub passenger: Option<String>,
    pub kind: String,
    /// Kind and masked number.
    pub documents: Vec<(String, String)>,
    pub issued_at: Timestamp,
    /// Of the point of sale.
    pub zone: Tz,
    pub carrier: Named,
    /// The ticket that was given in for it.
    pub in_exchange_for: Option<String>,
    pub flights: Vec<FlightFacts>,
    pub fare: Money,
    pub taxes: Vec<(String, Money)>,
    pub total: Money,
    pub fare_calculation: String,
    pub conditions: Vec<SliceFacts>,
}

/// In both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub zh: Option<String>,
    pub en: String,
}

#[derive(Clone, Debug)]
pub struct FlightFacts {
    /// Which coupon of which number.
    pub coupon: String,
    pub carrier: Named,
    pub flight: String,
    pub from: Stop,
    pub to: Stop,
    pub booking_class: String,
    pub cabin: String,
    pub fare_basis: String,
    pub checked_bag_kg: i64,
    pub status: CouponStatus,
}

#[derive(Clone, Debug)]
pub struct Stop {
    pub code: String,
    pub name: Named,
    /// On the clocks there.
    pub local: NaiveDateTime,
    pub zone: Option<Tz>,
}

/// What a part of the journey costs to give back or to change, for this passenger.
#[derive(Clone, Debug)]
pub struct SliceFacts {
    pub route: String,
    pub zone: Option<Tz>,
    pub conditions: Conditions,
}

/// Of an order with everything that was issued for it, tickets of every state; `None`: there is no such order.
pub fn order_receipt(db: &mut Db, catalogue: &Catalogue, vault: &Vault, id: OrderId) -> Result<Option<Receipt>, ReceiptError> {
    let found = order(db, id)?.into_iter().collect();
    let Some(issued) = issued_orders(db, found)?.pop() else { return Ok(None) };
    receipt(db, (catalogue, vault), &issued, |_| true).map(Some)
}

/// Of one ticket of it.
pub fn ticket_receipt(db: &mut Db, catalogue: &Catalogue, vault: &Vault, of: &TicketRow) -> Result<Receipt, ReceiptError> {
    let found = order(db, OrderId::of(of.order_id))?.into_iter().collect();
    let issued = issued_orders(db, found)?.pop().ok_or(ReceiptError::NotIssued)?;
    receipt(db, (catalogue, vault), &issued, |ticket| ticket.id == of.id)
}

fn receipt(
    db: &mut Db,
    (catalogue, vault): (&Catalogue, &Vault),
    issued: &IssuedOrder,
    is_wanted: impl Fn(&TicketRow) -> bool,
) -> Result<Receipt, ReceiptError> {
    let seller = agency(db, AgencyId::of(issued.order.agency_id))?;
    let seller = seller.ok_or_else(|| DbError::Corrupt(format!("agency of order {}", issued.order.id)))?;
    let wanted: Vec<&TicketRow> = issued.tickets.iter().filter(|ticket| is_wanted(ticket)).collect();
    if wanted.is_empty() {
        return Err(ReceiptError::NotIssued);
    }
    let ids: Vec<TicketId> = wanted.iter().map(|ticket| TicketId::of(ticket.id)).collect();
    let exchanges = exchanges_of(db, &ids)?;
    let given_in: Vec<TicketId> = exchanges.iter().map(|one| TicketId::of(one.given_in_ticket_id)).collect();
    let numbers = ticket_numbers(db, &given_in)?;
    let mut tickets = Vec::with_capacity(wanted.len());
    for row in wanted {
        let earlier = exchanges.iter().find(|one| one.ticket_id == row.id).map(|one| TicketId::of(one.given_in_ticket_id));
        let mut facts = Reading { catalogue, vault, issued, seller: &seller }.ticket(row)?;
        facts.in_exchange_for = earlier.and_then(|id| numbers.get(&id).cloned());
        tickets.push(facts);
    }
    Ok(Receipt {
        booking_reference: issued.order.booking_reference.clone(),
        agency: seller.name,
        agency_code: seller.numeric_code,
        tickets,
    })
}

impl Receipt {
    /// Letters of the trade only, which every mail program and file system takes.
    pub fn file_name(&self) -> String {
        match self.tickets.as_slice() {
            [only] => format!("receipt_{}_{}.pdf", self.booking_reference, only.numbers.first().map_or("", String::as_str)),
            _ => format!("receipt_{}.pdf", self.booking_reference),
        }
    }
}

struct Reading<'r> {
    catalogue: &'r Catalogue,
    vault: &'r Vault,
    issued: &'r IssuedOrder,
    seller: &'r Agency,
}

impl Reading<'_> {
    fn ticket(&self, row: &TicketRow) -> Result<TicketFacts, ReceiptError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of ticket {}", row.id));
        let currency = stored_currency(&row.currency)?;
        let place = self.issued.passengers.iter().position(|(passenger, _)| passenger.id == row.passenger_id);
        let place = place.ok_or_else(|| corrupt("passenger"))?;
        let passenger = self.issued.passengers.get(place).ok_or_else(|| corrupt("passenger"))?;
        let person = self.person(passenger)?;
        let coupons: Vec<&CouponRow> = self.issued.coupons.iter().filter(|coupon| coupon.ticket_id == row.id).collect();
        let statuses = coupons.iter().map(|coupon| coupon.status()).collect::<Result<Vec<_>, _>>()?;
        let standing = Standing::of(&statuses);
        let flights = coupons.iter().zip(&statuses).map(|(coupon, status)| self.flight(coupon, *status)).collect();
        let taxes = self.issued.taxes.iter().filter(|tax| tax.ticket_id == row.id);
        let carrier = coupons.first().map_or("", |coupon| coupon.carrier.as_str());
        Ok(TicketFacts {
            numbers: self.issued.numbers_of(row),
            standing,
            passenger: person.as_ref().map(name_of),
            kind: passenger.0.kind.clone(),
            documents: person.iter().flat_map(|person| &person.documents).map(|one| (one.kind.clone(), one.masked())).collect(),
            issued_at: row.issued_at.into(),
            zone: self.seller.zone,
            carrier: self.carrier(carrier),
            in_exchange_for: None,
            flights,
            fare: Money::new(row.base_minor, currency),
            taxes: taxes.map(|tax| (tax.code.clone(), Money::new(tax.minor, currency))).collect(),
            total: Money::new(row.price_minor, currency),
            fare_calculation: row.fare_calculation.clone(),
            conditions: if standing.is_over() { Vec::new() } else { self.conditions(row, place, currency)? },
        })
    }

    fn person(&self, (row, key): &(PassengerRow, PersonKeyRow)) -> Result<Option<Person>, VaultError> {
        if key.wrapped.is_empty() {
            return Ok(None);
        }
        self.vault.open(&Sealed { data: row.sealed.clone(), wrapped_key: key.wrapped.clone() }).map(Some)
    }

    fn carrier(&self, code: &str) -> Named {
        let known = self.catalogue.carriers.get(code);
        let unknown = Named { zh: None, en: code.to_owned() };
        known.map_or(unknown, |carrier| Named { zh: Some(carrier.name_zh.clone()), en: carrier.name.clone() })
    }

    fn flight(&self, coupon: &CouponRow, status: CouponStatus) -> FlightFacts {
        let stop = |code: &str, local: NaiveDateTime| {
            let airport = self.catalogue.airports.find(code);
            let name = airport.map(|airport| Named { zh: chinese(airport), en: airport.name.clone() });
            Stop {
                code: code.to_owned(),
                name: name.unwrap_or_else(|| Named { zh: None, en: code.to_owned() }),
                local,
                zone: airport.map(|airport| airport.zone),
            }
        };
        FlightFacts {
            coupon: format!("{}/{}", self.issued.number_of(coupon), coupon.number_on_document()),
            carrier: self.carrier(&coupon.carrier),
            flight: format!("{}{}", coupon.carrier, coupon.flight_number),
            from: stop(&coupon.origin, coupon.departing_at),
            to: stop(&coupon.destination, coupon.arriving_at),
            booking_class: coupon.booking_class.clone(),
            cabin: coupon.cabin.clone(),
            fare_basis: coupon.fare_basis.clone(),
            checked_bag_kg: coupon.checked_bag_kg,
            status,
        }
    }

    /// For the passenger alone, by the rules of the day of issue.
    fn conditions(&self, row: &TicketRow, place: usize, currency: Currency) -> Result<Vec<SliceFacts>, ReceiptError> {
        let mut offer = journey(self.issued)?;
        offer.passengers = offer.passengers.into_iter().skip(place).take(1).collect();
        offer.currency = currency.to_string();
        let parts = slice_conditions(self.catalogue, &offer, row.issue_date)?;
        let of_slices = offer.slices.iter().zip(parts).map(|(slice, conditions)| SliceFacts {
            route: format!("{}–{}", slice.origin, slice.destination),
            zone: airport_of(self.catalogue, slice).map(|airport| airport.zone),
            conditions,
        });
        Ok(of_slices.collect())
    }
}

/// The name of the airport, or of its city.
fn chinese(airport: &Airport) -> Option<String> {
    airport.name_zh.clone().or_else(|| airport.city_name_zh.clone())
}

/// As the trade writes it, family name first.
fn name_of(person: &Person) -> String {
    format!("{}/{}", person.family_name, person.given_name)
}

impl Standing {
    fn of(coupons: &[CouponStatus]) -> Self {
        use CouponStatus::{Exchanged, Refunded, TaxesRefunded, Void};
        let all = |status: CouponStatus| !coupons.is_empty() && coupons.iter().all(|one| *one == status);
        if all(Void) {
            Standing::Void
        } else if all(Refunded) {
            Standing::Refunded
        } else if coupons.contains(&Refunded) {
            Standing::PartlyRefunded
        } else if coupons.contains(&TaxesRefunded) {
            Standing::TaxesRefunded
        } else if coupons.contains(&Exchanged) {
            Standing::Exchanged
        } else {
            Standing::Valid
        }
    }

    /// Nothing of it can be flown any more.
    fn is_over(self) -> bool {
        matches!(self, Standing::Void | Standing::Refunded | Standing::TaxesRefunded | Standing::Exchanged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_stands_as_its_coupons_do() {
        use CouponStatus::{Exchanged, Flown, Open, Refunded, TaxesRefunded, Void};
        for (coupons, standing) in [
            (vec![Open, Open], Standing::Valid),
            (vec![Flown, Open], Standing::Valid),
            (vec![Void, Void], Standing::Void),
            (vec![Refunded, Refunded], Standing::Refunded),
            (vec![Flown, Refunded], Standing::PartlyRefunded),
            (vec![TaxesRefunded], Standing::TaxesRefunded),
            (vec![Flown, Exchanged], Standing::Exchanged),
        ] {
            assert_eq!(Standing::of(&coupons), standing, "{coupons:?}");
        }
    }
}
