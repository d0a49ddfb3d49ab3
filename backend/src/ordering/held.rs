//! Orders that are held: seats and a record locator without money or a ticket, until they are paid, cancelled, or their time is over.

use crate::catalogue::Catalogue;
use crate::catalogue::holds::HoldTerms;
use crate::clock::Timestamp;
use crate::db::schema::{air_order, held_order, held_seat, order_payment};
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{AgencyId, Id, OrderId, OrderPaymentId};
use crate::shopping::offer::PricedOffer;
use crate::shopping::price::{RepriceRefusal, reprice};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct HeldOrderRow in held_order {
        /// The order's own.
        id: i64,
        /// The offer as it was priced, in JSON.
        offer: String,
        payment_required_by: NaiveDateTime,
        price_guaranteed_until: Option<NaiveDateTime>,
        state: String,
        ended_at: Option<NaiveDateTime>,
    }

    pub struct HeldSeatRow in held_seat {
        order_id: i64,
        seat_bucket_id: i64,
        seats: i64,
    }

    /// What paid a held order.
    pub struct PaymentRow in order_payment {
        id: i64,
        order_id: i64,
        agency_id: i64,
        kind: String,
        amount_minor: i64,
        currency: String,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldState {
    Held,
    Paid,
    Cancelled,
    Expired,
}

/// How an order stops being held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldEnd {
    Paid,
    Cancelled,
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldMove {
    Applied(HeldState),
    AlreadyApplied,
    Refused(HeldRefusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeldRefusal {
    #[error("the order was paid")]
    AlreadyPaid,
    #[error("the order was cancelled")]
    Cancelled,
    #[error("the order had to be paid by {0}, and its seats are released")]
    WindowClosed(Timestamp),
    #[error("the order can be paid until {0}")]
    NotDue(Timestamp),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOrder {
    pub order: OrderId,
    pub offer: PricedOffer,
    pub terms: HoldTerms,
    pub state: HeldState,
    pub ended_at: Option<Timestamp>,
}

impl HeldState {
    pub fn text(self) -> &'static str {
        match self {
            HeldState::Held => "held",
            HeldState::Paid => "paid",
            HeldState::Cancelled => "cancelled",
            HeldState::Expired => "expired",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [HeldState::Held, HeldState::Paid, HeldState::Cancelled, HeldState::Expired];
        all.into_iter().find(|state| state.text() == text)
    }
}

impl HeldOrder {
    /// At the moment at which it has to be paid it is too late to pay, and not before that moment it expires.
    pub fn on(&self, end: HeldEnd, now: Timestamp) -> HeldMove {
        let by = self.terms.payment_required_by;
        let is_over = now >= by;
        match (self.state, end) {
            (HeldState::Held, HeldEnd::Paid) if !is_over => HeldMove::Applied(HeldState::Paid),
            (HeldState::Held, HeldEnd::Cancelled) if !is_over => HeldMove::Applied(HeldState::Cancelled),
            (HeldState::Held, HeldEnd::Paid | HeldEnd::Cancelled) => HeldMove::Refused(HeldRefusal::WindowClosed(by)),
            (HeldState::Held, HeldEnd::Expired) if is_over => HeldMove::Applied(HeldState::Expired),
            (HeldState::Held, HeldEnd::Expired) => HeldMove::Refused(HeldRefusal::NotDue(by)),
            (HeldState::Cancelled, HeldEnd::Cancelled) | (HeldState::Expired, HeldEnd::Expired) => HeldMove::AlreadyApplied,
            // A second payment is not the first one again: that one is recognised by its key.
            (HeldState::Paid, _) => HeldMove::Refused(HeldRefusal::AlreadyPaid),
            (HeldState::Cancelled, _) => HeldMove::Refused(HeldRefusal::Cancelled),
            (HeldState::Expired, _) => HeldMove::Refused(HeldRefusal::WindowClosed(by)),
        }
    }

    /// Whether it waits for its payment now. One whose time is over does not, also before the job has released its seats.
    pub fn awaits_payment(&self, now: Timestamp) -> bool {
        self.state == HeldState::Held && now < self.terms.payment_required_by
    }

    /// What it costs at `now`, and the moment whose tariffs that is of: as it was held while that price is guaranteed, calculated anew
    /// afterwards.
    pub fn price(
        &self,
        catalogue: &Catalogue,
        held_at: Timestamp,
        now: Timestamp,
    ) -> Result<(PricedOffer, Timestamp), RepriceRefusal> {
        if self.has_its_price(now) {
            return Ok((self.offer.clone(), held_at));
        }
        match reprice(catalogue, &self.offer, now) {
            Ok(offer) => Ok((offer, now)),
            Err(RepriceRefusal::FareChanged { offer }) => Ok((*offer, now)),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether the price that it was held at is still to be paid. A price once paid stays.
    pub fn has_its_price(&self, now: Timestamp) -> bool {
        self.state != HeldState::Held || self.terms.price_guaranteed_until.is_some_and(|until| now < until)
    }
}

impl TryFrom<HeldOrderRow> for HeldOrder {
    type Error = DbError;

    fn try_from(row: HeldOrderRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("held order {}", row.id));
        Ok(HeldOrder {
            order: OrderId::of(row.id),
            offer: serde_json::from_str(&row.offer).map_err(|_| corrupt())?,
            terms: HoldTerms {
                payment_required_by: row.payment_required_by.into(),
                price_guaranteed_until: row.price_guaranteed_until.map(Timestamp::from),
            },
            state: HeldState::parse(&row.state).ok_or_else(corrupt)?,
            ended_at: row.ended_at.map(Timestamp::from),
        })
    }
}

/// Those of these orders that are or were held.
pub fn held_orders(db: &mut Db, orders: &[OrderId]) -> Result<Vec<HeldOrder>, DbError> {
    let raw: Vec<i64> = orders.iter().map(|id| id.raw()).collect();
    let of_orders = held_order::table.filter(held_order::id.eq_any(raw));
    let rows: Vec<HeldOrderRow> = of_orders.select(HeldOrderRow::as_select()).load(db)?;
    rows.into_iter().map(HeldOrder::try_from).collect()
}

/// Orders that should have been paid by now and still hold their seats, longest overdue first, each with its agency.
pub fn overdue_orders(db: &mut Db, now: Timestamp, limit: i64) -> Result<Vec<(OrderId, AgencyId)>, DbError> {
    let overdue = held_order::table
        .inner_join(air_order::table.on(air_order::id.eq(held_order::id)))
        .filter(held_order::state.eq(HeldState::Held.text()))
        .filter(held_order::payment_required_by.le(now.naive()))
        .order((held_order::payment_required_by, held_order::id));
    let rows: Vec<(i64, i64)> = overdue.select((held_order::id, air_order::agency_id)).limit(limit).load(db)?;
    Ok(rows.into_iter().map(|(order, agency)| (OrderId::of(order), AgencyId::of(agency))).collect())
}

/// The seats that these orders took when they were held.
pub fn held_seats(db: &mut Db, orders: &[OrderId]) -> Result<Vec<HeldSeatRow>, DbError> {
    let raw: Vec<i64> = orders.iter().map(|id| id.raw()).collect();
    let of_orders = held_seat::table.filter(held_seat::order_id.eq_any(raw));
    Ok(of_orders.order((held_seat::seat_bucket_id, held_seat::order_id)).select(HeldSeatRow::as_select()).load(db)?)
}

pub fn payment(db: &mut Db, id: OrderPaymentId) -> Result<Option<PaymentRow>, DbError> {
    Ok(order_payment::table.find(id.raw()).select(PaymentRow::as_select()).first(db).optional()?)
}

pub fn payment_of(db: &mut Db, order: OrderId) -> Result<Option<PaymentRow>, DbError> {
    let of_order = order_payment::table.filter(order_payment::order_id.eq(order.raw()));
    Ok(of_order.select(PaymentRow::as_select()).first(db).optional()?)
}

/// Of these agencies, or of all; of one order, or of any.
pub fn payments(
    db: &mut Db,
    agencies: Option<&[AgencyId]>,
    order: Option<OrderId>,
    window: Window,
    limit: i64,
) -> Result<Vec<PaymentRow>, DbError> {
    let mut query = windowed!(order_payment::table.into_boxed(), order_payment::id, window, limit);
    if let Some(agencies) = agencies {
        query = query.filter(order_payment::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(order) = order {
        query = query.filter(order_payment::order_id.eq(order.raw()));
    }
    Ok(query.select(PaymentRow::as_select()).load(db)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + minutes * MINUTE).unwrap()
    }

    fn held(state: HeldState) -> HeldOrder {
        let offer =
            PricedOffer { carrier: "CA".into(), currency: "CNY".into(), slices: Vec::new(), passengers: Vec::new(), demo: true };
        let terms = HoldTerms { payment_required_by: at(60), price_guaranteed_until: Some(at(30)) };
        HeldOrder { order: OrderId::of(1), offer, terms, state, ended_at: None }
    }

    #[test]
    fn at_its_deadline_an_order_expires_and_is_paid_no_more() {
        let order = held(HeldState::Held);
        let closed = HeldMove::Refused(HeldRefusal::WindowClosed(at(60)));
        assert_eq!(order.on(HeldEnd::Paid, at(59)), HeldMove::Applied(HeldState::Paid));
        assert_eq!(order.on(HeldEnd::Expired, at(59)), HeldMove::Refused(HeldRefusal::NotDue(at(60))));
        assert_eq!(order.on(HeldEnd::Paid, at(60)), closed);
        assert_eq!(order.on(HeldEnd::Cancelled, at(60)), closed);
        assert_eq!(order.on(HeldEnd::Expired, at(60)), HeldMove::Applied(HeldState::Expired));
        assert!(order.awaits_payment(at(59)) && !order.awaits_payment(at(60)));
    }

    #[test]
    fn an_order_ends_once() {
        let ends = [HeldEnd::Paid, HeldEnd::Cancelled, HeldEnd::Expired];
        for state in [HeldState::Paid, HeldState::Cancelled, HeldState::Expired] {
            for end in ends {
                let moved = held(state).on(end, at(0));
                assert!(!matches!(moved, HeldMove::Applied(_)), "{state:?} {end:?}");
            }
        }
        assert_eq!(held(HeldState::Cancelled).on(HeldEnd::Cancelled, at(0)), HeldMove::AlreadyApplied);
        assert_eq!(held(HeldState::Expired).on(HeldEnd::Expired, at(99)), HeldMove::AlreadyApplied);
        assert_eq!(held(HeldState::Paid).on(HeldEnd::Paid, at(0)), HeldMove::Refused(HeldRefusal::AlreadyPaid));
    }

    #[test]
    fn the_price_is_good_until_the_guarantee_ends_and_for_ever_once_paid() {
        let order = held(HeldState::Held);
        assert!(order.has_its_price(at(29)) && !order.has_its_price(at(30)));
        assert!(held(HeldState::Paid).has_its_price(at(3_000)));
        let terms = HoldTerms { price_guaranteed_until: None, ..order.terms };
        assert!(!HeldOrder { terms, ..order }.has_its_price(at(0)));
    }
}
