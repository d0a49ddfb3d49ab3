//! An order to issue: the worked ticket of the design, 950.00 fare and 50.00 CN tax, unless a test says otherwise.

use crate::world::{World, cny};
use airsettle::agencies::{Contract, TaxRemitter};
use airsettle::audit::{Actor, Cause};
use airsettle::catalogue::holds::HoldTerms;
use airsettle::catalogue::split::{Tax, split};
use airsettle::commission::{EarningPart, earnings};
use airsettle::identity::{Fields, IdempotencyKey};
use airsettle::ids::{AgencyId, Id, KeyId, OfferId, OrderId, PassengerId};
use airsettle::money::{Currency, Money};
use airsettle::ordering::{Draw, Sealed, TenderWish};
use airsettle::ticketing::{
    CouponPlan, HoldPlan, Intent, IssueOrder, IssuedOrder, PassengerPlan, SeatDemand, TicketPlan, moment_at,
};
use chrono::{Days, Duration, NaiveDateTime};

/// The seat bucket that orders take their seats from unless told otherwise.
pub const BUCKET: i64 = 7_001;

#[derive(Clone)]
pub struct Order<'w> {
    world: &'w World,
    agency: AgencyId,
    tender: TenderWish,
    key: IdempotencyKey,
    body: String,
    tickets: usize,
    base: Money,
    tax: Money,
    remitter: TaxRemitter,
    bucket: i64,
    capacity: i64,
    coupons: usize,
    intent: Intent,
    /// That of the held order which is paid.
    offer: Option<OfferId>,
    /// The people of a held order, as its offer knows them.
    people: Vec<i64>,
    carrier: &'static str,
    booking_class: char,
    kind: &'static str,
    departing_at: NaiveDateTime,
    schedule_change: i64,
    sealed: Sealed,
}

impl<'w> Order<'w> {
    pub fn worked_ticket(world: &'w World) -> Self {
        Order {
            world,
            agency: world.agency,
            tender: TenderWish::Credit,
            key: IdempotencyKey::Business(format!("passengers-on-offer-{}", world.store.ids().block(1))),
            body: "one ticket".into(),
            tickets: 1,
            base: cny("950.00"),
            tax: cny("50.00"),
            remitter: TaxRemitter::Platform,
            bucket: BUCKET,
            capacity: 1_000_000,
            coupons: 1,
            schedule_change: 0,
            sealed: Sealed { data: vec![1, 2, 3], wrapped_key: vec![4, 5, 6] },
            intent: Intent::Issue,
            offer: None,
            people: Vec::new(),
            carrier: "CA",
            booking_class: 'Y',
            kind: "adult",
            // Farther away than any test travels.
            departing_at: (world.today() + Days::new(3_000)).and_hms_opt(8, 30, 0).unwrap(),
        }
    }

    /// Asks for what the agency has agreed: credit first, then its wallet.
    pub fn by_balance(self) -> Self {
        Order { tender: TenderWish::AgencyOrder, ..self }
    }

    /// Sold by the agency that has no credit.
    pub fn by_wallet(self) -> Self {
        Order { agency: self.world.prepaid, tender: TenderWish::AgencyOrder, ..self }
    }

    /// With an Idempotency-Key header.
    pub fn keyed(self, key: &str) -> Self {
        Order { key: IdempotencyKey::Explicit(key.to_owned()), ..self }
    }

    /// For these passengers on this offer, without a header.
    pub fn for_passengers(self, passengers: &str) -> Self {
        Order { key: IdempotencyKey::Business(passengers.to_owned()), ..self }
    }

    pub fn with_body(self, body: &str) -> Self {
        Order { body: body.to_owned(), ..self }
    }

    pub fn tickets(self, tickets: usize) -> Self {
        Order { tickets, ..self }
    }

    pub fn fare(self, base: Money) -> Self {
        Order { base, ..self }
    }

    /// Priced in another currency, 1000 of it.
    pub fn in_currency(self, code: &str) -> Self {
        let currency = Currency::parse(code).unwrap();
        let (base, tax) = (Money::parse("950", currency).unwrap(), Money::parse("50", currency).unwrap());
        Order { base, tax, ..self }
    }

    pub fn airline_remits_taxes(self) -> Self {
        Order { remitter: TaxRemitter::Airline, ..self }
    }

    /// On a flight whose class has so many seats.
    pub fn on_flight(self, bucket: i64, capacity: i64) -> Self {
        Order { bucket, capacity, ..self }
    }

    /// Whose ladder of refund fees counts, and in which class.
    pub fn flown_by(self, carrier: &'static str, booking_class: char) -> Self {
        Order { carrier, booking_class, ..self }
    }

    /// On so many flights, which share the fare evenly.
    pub fn coupons(self, coupons: usize) -> Self {
        Order { coupons, ..self }
    }

    /// Only held: to be paid within two days, and for one day at this price.
    pub fn held(self) -> Self {
        let now = self.world.clock.now();
        let terms = HoldTerms {
            payment_required_by: now.plus(Duration::hours(48)),
            price_guaranteed_until: Some(now.plus(Duration::hours(24))),
        };
        let offer = r#"{"carrier":"CA","currency":"CNY","slices":[],"passengers":[],"demo":true}"#;
        Order { intent: Intent::Hold(HoldPlan { terms, offer: offer.to_owned() }), ..self }
    }

    /// Pays an order that is held.
    pub fn paying(self, held: &IssuedOrder) -> Self {
        let people: Vec<i64> = held.passengers.iter().map(|(person, _)| person.offer_passenger_id).collect();
        let offer = Some(OfferId::of(held.order.offer_id));
        Order { intent: Intent::Pay(OrderId::of(held.order.id)), offer, tickets: people.len(), people, ..self }
    }

    pub fn tax(self, tax: Money) -> Self {
        Order { tax, ..self }
    }

    pub fn for_a(self, kind: &'static str) -> Self {
        Order { kind, ..self }
    }

    /// The first flight's departure, local to Beijing; the next ones follow day by day.
    pub fn departing_at(self, departing_at: NaiveDateTime) -> Self {
        Order { departing_at, ..self }
    }

    /// With a price that knows this change of the flight.
    pub fn priced_with(self, schedule_change: i64) -> Self {
        Order { schedule_change, ..self }
    }

    /// For people whose data can be read.
    pub fn sealed(self, person: &Sealed) -> Self {
        Order { sealed: person.clone(), ..self }
    }

    pub fn build(&self) -> IssueOrder {
        let ids = self.world.store.ids();
        let contract = &self.world.contracts[&self.agency];
        let actor = Actor::key(self.world.seller, KeyId::of(1));
        let fields = [("passengers", self.body.as_bytes()), ("type", b"instant".as_slice())];
        IssueOrder {
            basis: None,
            claim: ids.block(1),
            cause: Cause { actor, request_id: "req".into() },
            key: self.key.clone(),
            fields: Fields::of(fields, |bytes| hex::encode(bytes)).stored(),
            organisation: self.world.seller,
            agency: self.agency,
            offer: self.offer.unwrap_or_else(|| ids.next()),
            airline: self.world.airline,
            carrier: "CA".into(),
            accounting_code: "999".into(),
            contract: contract.id,
            tax_remitter: self.remitter,
            cycle_rule: contract.payment.cycle_rule,
            airline_payment: contract.payment.airline,
            tender: self.tender,
            intent: self.intent.clone(),
            draw: Draw::default(),
            currency: self.base.currency,
            tickets: (0..self.tickets).map(|place| self.ticket(contract, place)).collect(),
            seats: if matches!(self.intent, Intent::Pay(_)) { Vec::new() } else { vec![self.demand()] },
            departs_at: moment_at(self.world.catalogue(), "PEK", self.departing_at),
            metadata: "{}".into(),
        }
    }

    fn demand(&self) -> SeatDemand {
        SeatDemand {
            bucket: self.bucket,
            capacity: self.capacity,
            seats: i64::try_from(self.tickets * self.coupons).unwrap(),
            schedule_change: self.schedule_change,
            flight: "CA1501".into(),
            booking_class: 'Y',
        }
    }

    fn ticket(&self, contract: &Contract, place: usize) -> TicketPlan {
        let terms = Contract { currency: self.base.currency, tax_remitter: self.remitter, ..contract.clone() };
        let known = self.people.get(place).copied();
        let taxes = vec![Tax { code: "CN".into(), payee: "CAAC".into(), amount: self.tax }];
        let split = split(self.base, &taxes, "CA", &terms).unwrap();
        TicketPlan {
            passenger: PassengerPlan {
                offer_passenger: known.map_or_else(|| self.world.store.ids().next(), PassengerId::of),
                kind: self.kind.into(),
                sealed: self.sealed.clone(),
            },
            base: self.base,
            coupons: self.flights(&terms, split.price),
            split,
            taxes,
            fare_calculation: "BJS CA SHA950.00CNY950.00END".into(),
        }
    }

    fn flights(&self, terms: &Contract, price: Money) -> Vec<CouponPlan> {
        let shares = self.base.allocate(&vec![1; self.coupons]).unwrap();
        let parts: Vec<EarningPart> = shares.iter().map(|fare| EarningPart { fare: *fare, payout: terms.commission() }).collect();
        let earned = earnings(price, &parts).unwrap();
        let parts = shares.into_iter().zip(earned).zip(0u64..);
        parts.map(|((share, earned), day)| self.coupon(share, earned.amount, day)).collect()
    }

    fn coupon(&self, share: Money, commission: Money, day: u64) -> CouponPlan {
        let departing_at = self.departing_at + Days::new(day);
        CouponPlan {
            slice: 0,
            carrier: self.carrier.into(),
            flight_number: 1501,
            aircraft: "32A".into(),
            origin: "PEK".into(),
            destination: "SHA".into(),
            departing_at,
            arriving_at: departing_at + chrono::Duration::minutes(130),
            duration_minutes: 130,
            distance_km: 1_075,
            booking_class: self.booking_class,
            cabin: "economy".into(),
            fare_brand: "Flex".into(),
            fare_basis: "YOW".into(),
            base_minor: share.minor,
            checked_bag_kg: 20,
            seat_bucket: self.bucket,
            seats: 1,
            commission_rule: None,
            commission_minor: commission.minor,
        }
    }
}

impl From<Order<'_>> for IssueOrder {
    fn from(order: Order<'_>) -> Self {
        order.build()
    }
}
