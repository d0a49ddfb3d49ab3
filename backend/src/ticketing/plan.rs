//! What is to be issued: priced anew, split and validated before it comes to the commit, which only decides whether it may be sold.

use super::basis::Basis;
use super::ticket::COUPONS_PER_NUMBER;
use crate::agencies::{AirlinePayment, CycleRule, TaxRemitter};
use crate::audit::Cause;
use crate::catalogue::holds::HoldTerms;
use crate::catalogue::split::{Split, Tax};
use crate::clock::Timestamp;
use crate::identity::IdempotencyKey;
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, ContractId, OfferId, OrderId, OrganisationId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::{Draw, Sealed, TenderWish};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct IssueOrder {
    /// The id that the idempotency row will have: it stays the same when the command is tried again.
    pub claim: i64,
    /// What it was prepared from, where a key called: it must still stand in the commit.
    pub basis: Option<Arc<Basis>>,
    pub cause: Cause,
    pub key: IdempotencyKey,
    /// Digests per field of the request, to name the one that differs.
    pub fields: String,
    pub organisation: OrganisationId,
    pub agency: AgencyId,
    pub offer: OfferId,
    pub airline: AirlineId,
    pub carrier: String,
    pub accounting_code: String,
    pub contract: ContractId,
    pub tax_remitter: TaxRemitter,
    /// Of the contract: it says to which cycle the tickets belong.
    pub cycle_rule: CycleRule,
    /// The same: when the airline is paid.
    pub airline_payment: AirlinePayment,
    pub tender: TenderWish,
    pub intent: Intent,
    /// Which record locator, if the database has refused one already.
    pub draw: Draw,
    pub currency: Currency,
    pub tickets: Vec<TicketPlan>,
    pub seats: Vec<SeatDemand>,
    /// Its first flight.
    pub departs_at: Timestamp,
    /// JSON of the client's own notes.
    pub metadata: String,
}

/// What is to become of the order.
#[derive(Clone, Debug)]
pub enum Intent {
    /// Tickets at once.
    Issue,
    /// Seats and a record locator only; what it is planned to cost is not booked, and no ticket number is taken.
    Hold(HoldPlan),
    /// Tickets for an order that is held: its seats, its people and its record locator are there already.
    Pay(OrderId),
}

#[derive(Clone, Debug)]
pub struct HoldPlan {
    pub terms: HoldTerms,
    /// The priced offer as JSON.
    pub offer: String,
}

#[derive(Clone, Debug)]
pub struct TicketPlan {
    pub passenger: PassengerPlan,
    pub base: Money,
    pub taxes: Vec<Tax>,
    pub split: Split,
    pub fare_calculation: String,
    pub coupons: Vec<CouponPlan>,
}

impl TicketPlan {
    /// How many consecutive numbers it takes: one for every four coupons.
    pub fn documents(&self) -> i64 {
        let coupons = i64::try_from(self.coupons.len()).unwrap_or(i64::MAX);
        (coupons - 1).max(0) / COUPONS_PER_NUMBER + 1
    }
}

#[derive(Clone, Debug)]
pub struct PassengerPlan {
    pub offer_passenger: PassengerId,
    pub kind: String,
    pub sealed: Sealed,
}

#[derive(Clone, Debug)]
pub struct CouponPlan {
    pub slice: i64,
    pub carrier: String,
    pub flight_number: i64,
    pub aircraft: String,
    pub origin: String,
    pub destination: String,
    pub departing_at: chrono::NaiveDateTime,
    pub arriving_at: chrono::NaiveDateTime,
    pub duration_minutes: i64,
    pub distance_km: i64,
    pub booking_class: char,
    pub cabin: String,
    pub fare_brand: String,
    pub fare_basis: String,
    pub base_minor: i64,
    pub checked_bag_kg: i64,
    pub seat_bucket: i64,
    pub seats: i64,
    /// The commission rule that won; `None` where the contract's own rate holds.
    pub commission_rule: Option<CommissionRuleId>,
    /// The coupons' parts add up to the commission of the split.
    pub commission_minor: i64,
}

impl IssueOrder {
    /// The held order that it pays.
    pub fn pays(&self) -> Option<OrderId> {
        match self.intent {
            Intent::Pay(order) => Some(order),
            Intent::Issue | Intent::Hold(_) => None,
        }
    }
}

/// Seats that the order takes in one bucket: none for one that is held and has them.
#[derive(Clone, Debug)]
pub struct SeatDemand {
    pub bucket: i64,
    pub capacity: i64,
    pub seats: i64,
    /// The last change of the departure that the price knew of; zero where there was none.
    pub schedule_change: i64,
    pub flight: String,
    pub booking_class: char,
}
