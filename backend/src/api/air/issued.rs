//! An issued order in the shape of the API, and a rehearsed one with its split and its ledger entries.

use super::Names;
use super::airline_changes::AirlineInitiatedChange;
use super::cancelling::OrderCancellation;
use super::conditions::{Detail, ShownConditions};
use super::create_order::{Gender, OrderType, PaymentType, Title};
use super::order::{Actions, Order, OrderFacts, OrderPassenger, PaidFacts, PassengerFacts};
use super::passenger::TravelDates;
use super::searching::private_fares_for;
use crate::agencies::{Agency, agency};
use crate::api::code::Code;
use crate::api::envelope::Countdown;
use crate::api::error::{Amount, ApiError};
use crate::app::App;
use crate::catalogue::private_fares::PrivateFares;
use crate::catalogue::{BookingClass, CarrierCode};
use crate::clock::Timestamp;
use crate::db::{Db, Window};
use crate::ids::{AgencyId, Id, OfferId, OrderId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::{PassengerRow, PersonKeyRow, Sealed, Tender};
use crate::shopping::FARE_ZONE;
use crate::shopping::offer::{CarryOn, OfferSegment, PassengerKind, PricedOffer};
use crate::shopping::tariff::{Tariff, codes_of};
use crate::ticketing::{
    ActionFacts, AirlineChange, CouponStatus, IssueOrder, IssuedOrder, TicketRow, airline_changes, cancellation_of, journey,
    sale_draft, void_window_ends_at, with_refund,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Of an airline's changes of one order, the newest; more than any has.
const MOST_CHANGES: i64 = 50;

/// What became of an order after it was issued, and what may still become of it.
#[derive(Clone, Debug, Default)]
pub struct Afterwards {
    void_window_ends_at: Option<Timestamp>,
    cancellation: Option<OrderCancellation>,
    cancelled_at: Option<Timestamp>,
    airline_changes: Vec<AirlineChange>,
}

impl Afterwards {
    /// Of an order that was issued a moment ago.
    pub fn issued(app: &App, issued: &IssuedOrder, seller: &Agency) -> Self {
        Afterwards {
            void_window_ends_at: void_window_ends_at(&app.catalogue, seller, issued),
            cancellation: None,
            cancelled_at: None,
            airline_changes: Vec::new(),
        }
    }

    pub fn read(app: &App, db: &mut Db, issued: &IssuedOrder) -> Result<Self, ApiError> {
        let seller = agency(db, AgencyId::of(issued.order.agency_id))?;
        let seller = seller.ok_or_else(|| ApiError::internal(format!("order {} has no agency", issued.order.id)))?;
        let cancellation = cancellation_of(db, &issued.order)?;
        let cancelled_at = cancellation.as_ref().and_then(|row| row.confirmed_at).map(Timestamp::from);
        let shown = cancellation.map(|row| {
            let found = with_refund(db, row)?;
            OrderCancellation::read(db, &found, app.mode.into(), app.now())
        });
        let shown = shown.transpose()?;
        let of = OrderId::of(issued.order.id);
        let airline_changes = airline_changes(db, None, Some(of), Window::NEWEST, MOST_CHANGES)?;
        Ok(Afterwards { cancellation: shown, cancelled_at, airline_changes, ..Afterwards::issued(app, issued, &seller) })
    }

    pub fn countdown(&self, now: Timestamp) -> Countdown {
        Countdown::to(self.void_window_ends_at, now)
    }
}

pub fn shown_order(app: &App, issued: &IssuedOrder, after: Afterwards, names: &dyn Names) -> Result<Order, ApiError> {
    let now = app.now();
    let offer = if issued.order.issued_at.is_some() { sold_journey(app, issued)? } else { held_offer(app, issued)? };
    let created_at = Timestamp::from(issued.order.created_at);
    let cancelled_at = after.cancelled_at.or(issued.order.cancelled_at.map(Timestamp::from));
    let changes = [issued.order.issued_at.map(Timestamp::from), cancelled_at];
    let synced_at = changes.into_iter().flatten().max().unwrap_or(created_at);
    let actions = ActionFacts { issued, cancelled_at, void_window_ends_at: after.void_window_ends_at, now };
    let facts = OrderFacts {
        id: OrderId::of(issued.order.id),
        offer_id: OfferId::of(issued.order.offer_id),
        kind: if issued.held.is_some() { OrderType::Hold } else { OrderType::Instant },
        booking_reference: &issued.order.booking_reference,
        mode: app.mode.into(),
        offer: &offer,
        passengers: issued.passengers.iter().map(|row| person(app, row)).collect::<Result<_, _>>()?,
        tickets: current(issued)
            .flat_map(|ticket| issued.numbers_of(ticket).into_iter().map(|number| (number, traveller(issued, ticket))))
            .collect(),
        created_at,
        synced_at,
        paid: paid(issued, now)?,
        cancelled_at,
        actions: Actions::of(&actions)?,
        void_window_ends_at: after.void_window_ends_at,
        airline_changes: after
            .airline_changes
            .iter()
            .map(|change| AirlineInitiatedChange::of(change, issued, names))
            .collect::<Result<_, _>>()?,
        cancellation: after.cancellation,
        conditions: conditions(app, issued, &offer)?,
        metadata: serde_json::from_str(&issued.order.metadata).map_err(ApiError::internal)?,
    };
    Order::new(facts, names).map_err(ApiError::internal)
}

fn paid(issued: &IssuedOrder, now: Timestamp) -> Result<PaidFacts, ApiError> {
    Ok(match (issued.order.issued_at, &issued.held) {
        (Some(at), _) => {
            let kind = if tender_of(issued)? == Tender::Credit { PaymentType::ArcBspCash } else { PaymentType::Balance };
            PaidFacts::Paid { kind, at: at.into() }
        }
        (None, Some(held)) if held.awaits_payment(now) => PaidFacts::Awaited(held.terms),
        (None, _) => PaidFacts::Never,
    })
}

/// What an order without tickets is held as, at the price that it is to be paid at now. What is not sold any more keeps the price that it had.
fn held_offer(app: &App, issued: &IssuedOrder) -> Result<PricedOffer, ApiError> {
    let held = issued.held.as_ref();
    let held = held.ok_or_else(|| ApiError::internal(format!("order {} is neither issued nor held", issued.order.id)))?;
    let now = app.now();
    let codes = codes_of(&held.offer);
    let private = if codes.is_empty() {
        PrivateFares::none()
    } else {
        let agency = AgencyId::of(issued.order.agency_id);
        app.store.read(|db| private_fares_for(db, agency, now, &codes))?
    };
    let tariff = Tariff { catalogue: &app.catalogue, private: &private };
    let priced = held.price(tariff, issued.order.created_at.into(), now).ok().filter(|_| held.awaits_payment(now));
    Ok(priced.map_or_else(|| held.offer.clone(), |(offer, _)| offer))
}

fn tender_of(issued: &IssuedOrder) -> Result<Tender, ApiError> {
    let unpaid = || ApiError::internal(format!("order {} has no tender", issued.order.id));
    issued.order.tender()?.ok_or_else(unpaid)
}

/// Those of the day of issue, or of today while it is held; a cancelled order has none any more.
fn conditions(app: &App, issued: &IssuedOrder, offer: &PricedOffer) -> Result<ShownConditions, ApiError> {
    if issued.order.cancelled_at.is_some() {
        return Ok(ShownConditions::default());
    }
    let now = app.now();
    let day = current(issued).next().map_or_else(|| now.date_in(FARE_ZONE), |ticket| ticket.issue_date);
    ShownConditions::of(&app.catalogue, offer, (day, now), Detail::Brief)
}

/// The tickets that a traveller shows: one that was given in, or that was issued in an exchange taken back, is none.
fn current(issued: &IssuedOrder) -> impl Iterator<Item = &TicketRow> {
    let is_over = |status: &str| status == CouponStatus::Exchanged.text() || status == CouponStatus::Void.text();
    let cancelled = issued.order.cancelled_at.is_some();
    issued.tickets.iter().filter(move |ticket| {
        let mut coupons = issued.coupons.iter().filter(|coupon| coupon.ticket_id == ticket.id);
        cancelled || !coupons.all(|coupon| is_over(&coupon.status))
    })
}

/// The ids that clients know the passengers by, in the order of the journey's.
pub(super) fn travellers(issued: &IssuedOrder) -> Vec<PassengerId> {
    issued.passengers.iter().map(|(passenger, _)| PassengerId::of(passenger.offer_passenger_id)).collect()
}

/// What decides a fare; the day of birth is gone where the person's key was destroyed.
pub(super) fn kind_and_birth(
    app: &App,
    row: &(PassengerRow, PersonKeyRow),
) -> Result<(PassengerKind, Option<chrono::NaiveDate>), ApiError> {
    let is_known = !row.1.wrapped.is_empty();
    Ok((kind_of(&row.0)?, if is_known { Some(person(app, row)?.born_on) } else { None }))
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
            documents: Vec::new(),
            ticketed: None,
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
        documents: person.documents,
        ticketed: person.ticketed,
    })
}

/// The journey with what may be taken into the cabin, by the rules of the day of issue.
fn sold_journey(app: &App, issued: &IssuedOrder) -> Result<PricedOffer, ApiError> {
    let mut offer = journey(issued)?;
    let Some(issued_on) = issued.tickets.first().map(|ticket| ticket.issue_date) else { return Ok(offer) };
    let carry_on = |segment: &OfferSegment, kind: PassengerKind| -> Option<CarryOn> {
        let (carrier, class) = (CarrierCode::parse(&segment.carrier)?, BookingClass::parse(segment.booking_class)?);
        app.catalogue.fares.carry_on(carrier, class, kind, issued_on)
    };
    let segments: Vec<OfferSegment> = offer.segments().cloned().collect();
    for passenger in &mut offer.passengers {
        let kind = passenger.kind;
        for (coupon, segment) in passenger.coupons.iter_mut().zip(&segments) {
            coupon.carry_on = carry_on(segment, kind);
        }
    }
    Ok(offer)
}

/// One passenger, whom clients know by the id of the offer.
pub fn shown_passenger(app: &App, issued: &IssuedOrder, id: PassengerId) -> Result<OrderPassenger, ApiError> {
    let row = issued.passengers.iter().find(|(passenger, _)| passenger.offer_passenger_id == id.raw());
    Ok(person(app, row.ok_or_else(|| ApiError::of(Code::NotFound))?)?.into())
}

/// The days of the journey: of its coupons, or of what is held.
pub fn travel_dates(issued: &IssuedOrder) -> Result<TravelDates, ApiError> {
    let held = issued.held.iter().flat_map(|held| held.offer.segments()).map(|segment| segment.departing_at.date());
    let days: Vec<_> = issued.coupons.iter().map(|coupon| coupon.departing_at.date()).chain(held).collect();
    let first_and_last = days.iter().min().zip(days.iter().max());
    let travel = first_and_last.map(|(first, last)| TravelDates { first: *first, last: *last });
    travel.ok_or_else(|| ApiError::internal(format!("order {} has no flights", issued.order.id)))
}

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Rehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    /// `credit` or `wallet`; null for an order that would only be held.
    #[schema(example = "credit")]
    pub tender: Option<String>,
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
    let tender = issued.order.tender()?;
    let cycle = issued.order.cycle.as_deref().unwrap_or_default();
    let mut tickets = Vec::with_capacity(plan.tickets.len());
    for (planned, ticket) in plan.tickets.iter().zip(&issued.tickets) {
        // Without a tender there is no ticket either.
        let Some(tender) = tender else { continue };
        let draft = sale_draft(plan, &planned.split, tender, ticket.id, cycle).map_err(ApiError::internal)?;
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
