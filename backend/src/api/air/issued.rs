//! An issued order in the shape of the API, and a rehearsed one with its split and its ledger entries.

use super::Names;
use super::cancelling::OrderCancellation;
use super::conditions::{Detail, ShownConditions};
use super::create_order::{Gender, OrderType, PaymentType, Title};
use super::order::{Action, Order, OrderFacts, PaidFacts, PassengerFacts};
use crate::agencies::{Agency, agency};
use crate::api::error::{Amount, ApiError};
use crate::app::App;
use crate::catalogue::{BookingClass, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::ids::{AgencyId, Id, OfferId, OrderId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::{PassengerRow, PersonKeyRow, Sealed, Tender};
use crate::shopping::offer::{
    Cabin, CarryOn, OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax,
};
use crate::ticketing::{
    CouponRow, CouponSide, CouponStatus, IssueOrder, IssuedOrder, TicketRow, cancellation_of, first_unmovable, sale_draft,
    void_window_ends_at,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of an order after it was issued, and what may still become of it.
#[derive(Clone, Debug, Default)]
pub struct Afterwards {
    void_window_ends_at: Option<Timestamp>,
    cancellation: Option<OrderCancellation>,
}

impl Afterwards {
    /// Of an order that was issued a moment ago.
    pub fn issued(app: &App, issued: &IssuedOrder, seller: &Agency) -> Self {
        Afterwards { void_window_ends_at: void_window_ends_at(&app.catalogue, seller, issued), cancellation: None }
    }

    pub fn read(app: &App, db: &mut Db, issued: &IssuedOrder) -> Result<Self, ApiError> {
        let seller = agency(db, AgencyId::of(issued.order.agency_id))?;
        let seller = seller.ok_or_else(|| ApiError::internal(format!("order {} has no agency", issued.order.id)))?;
        let cancellation = cancellation_of(db, &issued.order)?;
        let shown = cancellation.map(|row| OrderCancellation::read(db, &row, app.mode.is_live())).transpose()?;
        Ok(Afterwards { cancellation: shown, ..Afterwards::issued(app, issued, &seller) })
    }

    fn actions(&self, issued: &IssuedOrder, now: Timestamp) -> Result<Vec<Action>, ApiError> {
        let unmovable = first_unmovable(&issued.coupons, CouponSide::Platform, CouponStatus::Void)?;
        let open = issued.order.cancelled_at.is_none() && unmovable.is_none();
        Ok(if open && self.void_window_ends_at.is_some_and(|ends| now < ends) { vec![Action::Cancel] } else { Vec::new() })
    }
}

pub fn shown_order(app: &App, issued: &IssuedOrder, after: Afterwards, names: &dyn Names) -> Result<Order, ApiError> {
    let offer = journey(&app.catalogue, issued)?;
    let at = Timestamp::from(issued.order.created_at);
    let kind = if issued.order.tender == Tender::Credit.text() { PaymentType::ArcBspCash } else { PaymentType::Balance };
    let facts = OrderFacts {
        id: OrderId::of(issued.order.id),
        offer_id: OfferId::of(issued.order.offer_id),
        kind: OrderType::Instant,
        booking_reference: &issued.order.booking_reference,
        mode: app.mode.into(),
        offer: &offer,
        passengers: issued.passengers.iter().map(|row| person(app, row)).collect::<Result<_, _>>()?,
        tickets: issued.tickets.iter().map(|ticket| (ticket.number.clone(), traveller(issued, ticket))).collect(),
        created_at: at,
        paid: PaidFacts::Paid { kind, at },
        cancelled_at: issued.order.cancelled_at.map(Timestamp::from),
        actions: after.actions(issued, app.now())?,
        void_window_ends_at: after.void_window_ends_at,
        cancellation: after.cancellation,
        conditions: conditions(app, issued, &offer)?,
        metadata: serde_json::from_str(&issued.order.metadata).map_err(ApiError::internal)?,
    };
    Order::new(facts, names).map_err(ApiError::internal)
}

/// Those of the day of issue; a cancelled order has none any more.
fn conditions(app: &App, issued: &IssuedOrder, offer: &PricedOffer) -> Result<ShownConditions, ApiError> {
    match issued.tickets.first().filter(|_| issued.order.cancelled_at.is_none()) {
        Some(ticket) => ShownConditions::of(&app.catalogue, offer, (ticket.issue_date, app.now()), Detail::Brief),
        None => Ok(ShownConditions::default()),
    }
}

/// Clients know a passenger by the id of the offer.
fn traveller(issued: &IssuedOrder, ticket: &TicketRow) -> PassengerId {
    let passenger = issued.passengers.iter().find(|(passenger, _)| passenger.id == ticket.passenger_id);
    PassengerId::of(passenger.map_or(ticket.passenger_id, |(passenger, _)| passenger.offer_passenger_id))
}

fn kind_of(row: &PassengerRow) -> Result<PassengerKind, ApiError> {
    PassengerKind::parse(&row.kind).ok_or_else(|| ApiError::internal(format!("kind of passenger {}", row.id)))
}

/// A person whose key was destroyed is shown without a name.
fn person(app: &App, (row, key): &(PassengerRow, PersonKeyRow)) -> Result<PassengerFacts, ApiError> {
    let (id, kind) = (PassengerId::of(row.offer_passenger_id), kind_of(row)?);
    if key.wrapped.is_empty() {
        return Ok(PassengerFacts {
            id,
            kind,
            title: Title::Mr,
            gender: Gender::M,
            given_name: String::new(),
            family_name: String::new(),
            born_on: chrono::NaiveDate::default(),
            email: None,
            phone_number: None,
            infant: None,
        });
    }
    let sealed = Sealed { data: row.sealed.clone(), wrapped_key: key.wrapped.clone() };
    let person = app.vault.open(&sealed).map_err(ApiError::internal)?;
    Ok(PassengerFacts {
        id,
        kind,
        title: person.title.into(),
        gender: person.gender.into(),
        given_name: person.given_name,
        family_name: person.family_name,
        born_on: person.born_on,
        email: person.email,
        phone_number: person.phone_number,
        infant: person.infant.map(PassengerId::of),
    })
}

/// The journey as it was sold, from its coupons.
fn journey(catalogue: &Catalogue, issued: &IssuedOrder) -> Result<PricedOffer, ApiError> {
    let of = |ticket: &TicketRow| -> Vec<&CouponRow> {
        issued.coupons.iter().filter(|coupon| coupon.ticket_id == ticket.id).collect()
    };
    let first = issued.tickets.first().map(of).unwrap_or_default();
    let mut slices: Vec<OfferSlice> = Vec::new();
    let mut last_slice = None;
    for coupon in &first {
        let segment = segment(coupon)?;
        match slices.last_mut().filter(|_| last_slice == Some(coupon.slice)) {
            Some(slice) => {
                slice.destination = segment.destination.clone();
                slice.segments.push(segment);
            }
            None => slices.push(OfferSlice {
                origin: segment.origin.clone(),
                destination: segment.destination.clone(),
                fare_brand: coupon.fare_brand.clone(),
                segments: vec![segment],
            }),
        }
        last_slice = Some(coupon.slice);
    }
    let mut passengers = Vec::with_capacity(issued.tickets.len());
    for ticket in &issued.tickets {
        let row = issued.passengers.iter().find(|(passenger, _)| passenger.id == ticket.passenger_id);
        let (row, _) = row.ok_or_else(|| ApiError::internal(format!("ticket {} has no passenger", ticket.number)))?;
        let kind = kind_of(row)?;
        let coupon = |coupon: &&CouponRow| PricedCoupon {
            fare_basis: coupon.fare_basis.clone(),
            base_minor: coupon.base_minor,
            checked_bag_kg: u8::try_from(coupon.checked_bag_kg).unwrap_or(0),
            carry_on: carry_on(catalogue, coupon, kind, ticket.issue_date),
            private_fare: None,
        };
        let taxes = issued.taxes.iter().filter(|tax| tax.ticket_id == ticket.id);
        passengers.push(PricedPassenger {
            kind,
            age: None,
            coupons: of(ticket).iter().map(coupon).collect(),
            base_minor: ticket.base_minor,
            taxes: taxes.map(|tax| PricedTax { code: tax.code.clone(), minor: tax.minor, payee: tax.payee.clone() }).collect(),
        });
    }
    let carrier = first.first().map(|coupon| coupon.carrier.clone()).unwrap_or_default();
    // Every schedule is generated so far; a real one will say so on its coupons.
    Ok(PricedOffer { carrier, currency: issued.order.currency.clone(), slices, passengers, demo: true })
}

/// By the rules of the day of issue.
fn carry_on(catalogue: &Catalogue, coupon: &CouponRow, kind: PassengerKind, issued_on: chrono::NaiveDate) -> Option<CarryOn> {
    let class = coupon.booking_class.chars().next().and_then(BookingClass::parse)?;
    catalogue.fares.carry_on(CarrierCode::parse(&coupon.carrier)?, class, kind, issued_on)
}

fn segment(coupon: &CouponRow) -> Result<OfferSegment, ApiError> {
    let corrupt = |what: &str| ApiError::internal(format!("{what} of coupon {}", coupon.id));
    Ok(OfferSegment {
        carrier: coupon.carrier.clone(),
        flight_number: u16::try_from(coupon.flight_number).map_err(|_| corrupt("flight"))?,
        aircraft: coupon.aircraft.clone(),
        origin: coupon.origin.clone(),
        destination: coupon.destination.clone(),
        departing_at: coupon.departing_at,
        arriving_at: coupon.arriving_at,
        duration_minutes: u32::try_from(coupon.duration_minutes).map_err(|_| corrupt("duration"))?,
        distance_km: u32::try_from(coupon.distance_km).map_err(|_| corrupt("distance"))?,
        booking_class: coupon.booking_class.chars().next().ok_or_else(|| corrupt("class"))?,
        cabin: Cabin::parse(&coupon.cabin).ok_or_else(|| corrupt("cabin"))?,
    })
}

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Rehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    /// `credit` or `wallet`.
    #[schema(example = "credit")]
    pub tender: String,
    pub total_amount: String,
    pub total_currency: String,
    pub tickets: Vec<RehearsedTicket>,
    /// The order as it would be answered, with numbers that the next sale will really get.
    pub order: Order,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RehearsedTicket {
    pub price: Amount,
    pub airline: Amount,
    pub authorities: Amount,
    pub commission: Amount,
    pub fee: Amount,
    pub entries: Vec<RehearsedEntry>,
}

/// Exactly one of debit and credit is there.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RehearsedEntry {
    #[schema(example = "agency.receivable")]
    pub account: String,
    pub debit: Option<String>,
    pub credit: Option<String>,
    pub currency: String,
}

pub fn shown_rehearsal(app: &App, issued: &IssuedOrder, plan: &IssueOrder, names: &dyn Names) -> Result<Rehearsal, ApiError> {
    let currency = Currency::parse(&issued.order.currency).map_err(ApiError::internal)?;
    let tender = if issued.order.tender == Tender::Credit.text() { Tender::Credit } else { Tender::Wallet };
    let mut tickets = Vec::with_capacity(plan.tickets.len());
    for (planned, ticket) in plan.tickets.iter().zip(&issued.tickets) {
        let draft = sale_draft(plan, &planned.split, tender, ticket.id, &issued.order.cycle).map_err(ApiError::internal)?;
        let entry = |leg: &crate::ledger::Leg| {
            let magnitude = if leg.amount.is_negative() { leg.amount.checked_neg() } else { Ok(leg.amount) };
            let text = magnitude.map_err(ApiError::internal)?.to_string();
            let (debit, credit) = if leg.amount.is_negative() { (None, Some(text)) } else { (Some(text), None) };
            Ok(RehearsedEntry { account: leg.account.code.text().to_owned(), debit, credit, currency: currency.to_string() })
        };
        tickets.push(RehearsedTicket {
            price: planned.split.price.into(),
            airline: planned.split.airline.into(),
            authorities: planned.split.authority_total().map_err(ApiError::internal)?.into(),
            commission: planned.split.commission.into(),
            fee: planned.split.fee.into(),
            entries: draft.legs.iter().filter(|leg| leg.amount.minor != 0).map(entry).collect::<Result<_, ApiError>>()?,
        });
    }
    Ok(Rehearsal {
        dry_run: true,
        tender: issued.order.tender.clone(),
        total_amount: Money::new(issued.order.total_minor, currency).to_string(),
        total_currency: currency.to_string(),
        tickets,
        order: shown_order(app, issued, Afterwards::default(), names)?,
    })
}
