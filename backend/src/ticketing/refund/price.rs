//! What comes back of the coupons of one order: pure, from what was sold, the rules of the day and what came back before.

use super::application::{Application, RefundKind};
use super::error::RefundError;
use super::legs::{CouponShare, RefundLegs, RefundTerms, Returned, SoldTax, refund_legs, supplement_legs};
use super::shares::{passenger_kind, ticket_shares};
use crate::agencies::{Contract, TaxRemitter};
use crate::catalogue::split::Tax;
use crate::catalogue::taxes::RefundRule;
use crate::catalogue::{BookingClass, CarrierCode, Catalogue, PassengerKind};
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::ticketing::coupon::{CouponMoved, CouponSide, CouponStatus};
use crate::ticketing::journey::moment_at;
use crate::ticketing::ticket::{CouponRow, IssuedOrder, TicketRow};
use chrono::Duration;

/// How long a quote stands, unless a boundary of a ladder comes first.
pub const QUOTE_MINUTES: i64 = 15;

/// Coupons of one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTicket {
    pub ticket: i64,
    /// Their numbers; none: every coupon that is open.
    pub coupons: Vec<i64>,
}

pub(super) struct Facts<'a> {
    pub kind: RefundKind,
    pub catalogue: &'a Catalogue,
    pub issued: &'a IssuedOrder,
    pub contract: &'a Contract,
    /// Of these tickets, posted.
    pub before: &'a [Application],
    pub now: Timestamp,
}

pub(super) struct PricedCoupon<'a> {
    pub row: &'a CouponRow,
    pub share: CouponShare,
    pub penalty: Money,
    pub rate: Option<Rate>,
    /// Those that come back.
    pub taxes: Vec<SoldTax>,
}

pub(super) struct PricedTicket<'a> {
    pub ticket: &'a TicketRow,
    pub coupons: Vec<PricedCoupon<'a>>,
    pub returned: Returned,
    pub legs: RefundLegs,
}

pub(super) struct Priced<'a> {
    pub tickets: Vec<PricedTicket<'a>>,
    /// The first moment at which it would cost something else.
    pub expires_at: Timestamp,
}

/// What of a coupon is kept, and until when.
struct Penalty {
    amount: Money,
    rate: Option<Rate>,
    until: Option<Timestamp>,
}

pub(super) fn price<'a>(facts: &Facts<'a>, wanted: &[WantedTicket]) -> Result<Priced<'a>, RefundError> {
    let kind = facts.kind;
    let mut expires_at = facts.now.plus(Duration::minutes(QUOTE_MINUTES));
    let mut tickets = Vec::new();
    for (ticket, coupons) in chosen(facts, wanted)? {
        let shares = ticket_shares(facts.catalogue, facts.issued, ticket)?;
        let passenger = passenger_kind(facts.issued, ticket)?;
        let mut priced = Vec::with_capacity(coupons.len());
        for row in coupons {
            let share = shares.iter().find(|share| share.number == row.number).cloned().ok_or(RefundError::NotFound)?;
            let penalty = penalty(facts, kind, passenger, ticket, row, share.base)?;
            expires_at = penalty.until.map_or(expires_at, |until| until.min(expires_at));
            let comes_back = |tax: &&SoldTax| kind != RefundKind::TaxOnly || tax.rule == RefundRule::Whole;
            let taxes = share.taxes.iter().filter(comes_back).cloned().collect();
            priced.push(PricedCoupon { row, share, penalty: penalty.amount, rate: penalty.rate, taxes });
        }
        tickets.push(priced_ticket(facts, ticket, priced)?);
    }
    let refund = tickets.iter().map(|ticket| ticket.legs.refund.minor).sum::<i64>();
    if refund == 0 { Err(RefundError::NothingToRefund) } else { Ok(Priced { tickets, expires_at }) }
}

fn priced_ticket<'a>(
    facts: &Facts<'a>,
    ticket: &'a TicketRow,
    coupons: Vec<PricedCoupon<'a>>,
) -> Result<PricedTicket<'a>, MoneyError> {
    let currency = Currency::parse(&ticket.currency)?;
    let penalty = Money::sum(currency, coupons.iter().map(|coupon| coupon.penalty))?;
    let shares: Vec<CouponShare> =
        coupons.iter().map(|coupon| CouponShare { taxes: coupon.taxes.clone(), ..coupon.share.clone() }).collect();
    let returned = Returned::of(&shares, penalty, |_| true)?;
    let legs = refund_legs(&returned, RefundTerms::of(facts.contract))?;
    Ok(PricedTicket { ticket, coupons, returned, legs })
}

/// The coupons that are asked for, ticket by ticket; without any, whatever of the order can be refunded.
fn chosen<'a>(facts: &Facts<'a>, wanted: &[WantedTicket]) -> Result<Vec<(&'a TicketRow, Vec<&'a CouponRow>)>, RefundError> {
    let mut found = Vec::new();
    for ticket in &facts.issued.tickets {
        let asked = wanted.iter().find(|one| one.ticket == ticket.id);
        if asked.is_none() && !wanted.is_empty() {
            continue;
        }
        let own: Vec<&CouponRow> = facts.issued.coupons.iter().filter(|coupon| coupon.ticket_id == ticket.id).collect();
        let numbers = asked.map(|one| one.coupons.as_slice()).unwrap_or_default();
        let coupons = if numbers.is_empty() {
            let mut open = Vec::with_capacity(own.len());
            for coupon in &own {
                if is_refundable(facts.before, facts.kind, coupon)? {
                    open.push(*coupon);
                }
            }
            match own.first() {
                Some(first) if open.is_empty() && asked.is_some() => return Err(not_refundable(ticket, first)),
                _ => open,
            }
        } else {
            let of = |number: &i64| own.iter().copied().find(|coupon| coupon.number == *number).ok_or(RefundError::NotFound);
            numbers.iter().map(of).collect::<Result<Vec<_>, _>>()?
        };
        for coupon in &coupons {
            if !is_refundable(facts.before, facts.kind, coupon)? {
                return Err(not_refundable(ticket, coupon));
            }
        }
        if !coupons.is_empty() {
            found.push((ticket, coupons));
        }
    }
    match facts.issued.coupons.first() {
        Some(first) if found.is_empty() => {
            let ticket = facts.issued.tickets.iter().find(|ticket| ticket.id == first.ticket_id);
            Err(ticket.map_or(RefundError::NotFound, |ticket| not_refundable(ticket, first)))
        }
        _ => Ok(found),
    }
}

/// Open, and not refunded before: what an airline has opened again was paid back all the same.
pub(super) fn is_refundable(before: &[Application], kind: RefundKind, coupon: &CouponRow) -> Result<bool, DbError> {
    let refunded = before.iter().flat_map(|one| &one.coupons).any(|known| known.coupon_id == coupon.id);
    let moved = coupon.status()?.on(CouponSide::Platform, kind.coupon_status());
    Ok(moved == CouponMoved::Applied && !refunded)
}

pub(super) fn not_refundable(ticket: &TicketRow, coupon: &CouponRow) -> RefundError {
    let (ticket, status) = (ticket.number.clone(), coupon.status.clone());
    if status == CouponStatus::Void.text() {
        return RefundError::TicketVoided { ticket };
    }
    RefundError::CouponNotRefundable { ticket, coupon: coupon.number, status }
}

fn penalty(
    facts: &Facts<'_>,
    kind: RefundKind,
    passenger: PassengerKind,
    ticket: &TicketRow,
    coupon: &CouponRow,
    fare: Money,
) -> Result<Penalty, RefundError> {
    let free = Penalty { amount: Money::zero(fare.currency), rate: None, until: None };
    match kind {
        RefundKind::TaxOnly => return Ok(Penalty { amount: fare, ..free }),
        RefundKind::Voluntary if passenger != PassengerKind::Infant => {}
        RefundKind::Voluntary | RefundKind::Involuntary | RefundKind::Medical | RefundKind::Supplementary => return Ok(free),
    }
    let unfiled = || RefundError::NoRefundRule { carrier: coupon.carrier.clone(), class: coupon.booking_class.clone() };
    let carrier = CarrierCode::parse(&coupon.carrier).ok_or_else(unfiled)?;
    let class = coupon.booking_class.chars().next().and_then(BookingClass::parse).ok_or_else(unfiled)?;
    let departs = moment_at(facts.catalogue, &coupon.origin, coupon.departing_at);
    let before = departs.since(facts.now);
    let steps = facts.catalogue.refunds.steps(carrier, class, ticket.issue_date);
    let in_force = steps.into_iter().find(|step| step.more_than.is_none_or(|boundary| before > boundary)).ok_or_else(unfiled)?;
    Ok(Penalty {
        amount: fare.portion(in_force.fee)?,
        rate: Some(in_force.fee),
        until: in_force.more_than.map(|boundary| departs.plus(-boundary)),
    })
}

/// The legs of a second amount for a ticket refunded before.
pub(super) fn supplement(
    before: &[Application],
    ticket: &TicketRow,
    terms: RefundTerms,
    amount: Money,
) -> Result<RefundLegs, RefundError> {
    let currency = amount.currency;
    let money = |minor: i64| Money::new(minor, currency);
    let refunds: Vec<_> = before.iter().flat_map(|one| &one.tickets).filter(|one| one.ticket_id == ticket.id).collect();
    let of_ticket = |refund: i64| refunds.iter().any(|one| one.id == refund);
    let coupons: Vec<_> = before.iter().flat_map(|one| &one.coupons).filter(|one| of_ticket(one.refund_id)).collect();
    let left = money(refunds.iter().map(|one| one.penalty_minor).sum());
    if amount.minor > left.minor {
        return Err(RefundError::MoreThanPaid { left, asked: amount });
    }
    let mut taxes = Vec::new();
    for row in before.iter().flat_map(|one| &one.taxes).filter(|one| of_ticket(one.refund_id)) {
        let tax = Tax { code: row.code.clone(), payee: row.payee.clone(), amount: money(row.minor) };
        let remitter = TaxRemitter::parse(&row.remitter).unwrap_or(TaxRemitter::Platform);
        taxes.push(SoldTax { tax, remitter, rule: RefundRule::WithFare });
    }
    let returned = Returned {
        fare: money(coupons.iter().map(|one| one.fare_minor).sum()),
        penalty: left,
        taxes,
        commission: money(coupons.iter().map(|one| one.commission_minor).sum()),
        fee: money(coupons.iter().map(|one| one.fee_minor).sum()),
    };
    let taken = RefundLegs {
        refund: returned.refund()?,
        airline: money(refunds.iter().map(|one| one.airline_minor).sum()),
        authority: Vec::new(),
        commission: money(refunds.iter().map(|one| one.commission_minor).sum()),
        fee: money(refunds.iter().map(|one| one.fee_minor).sum()),
    };
    Ok(supplement_legs(&returned, &taken, terms, amount)?)
}
