//! How an application for a refund is shown, wherever it is.

use super::shape::{by_key, by_user, choice, time};
use crate::agencies::agencies_by_id;
use crate::airlines::airlines_by_id;
use crate::api::error::ApiError;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::ids::{AgencyId, AirlineId, AttachmentId, Id, OrderId, RefundApplicationId, RefundId, TicketId};
use crate::money::{Currency, Money};
use crate::ordering::Tender;
use crate::ticketing::{self, Application, RefundCouponRow, RefundTicketRow, tickets_by_id};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

choice! {
    /// Why it is refunded.
    RefundKind = ticketing::RefundKind { Voluntary, Involuntary, Medical, TaxOnly, Supplementary }
}
choice! {
    /// `awaiting_airline_funds`: booked, but the wallet gets the money when the airline has given it back.
    RefundStatus = ticketing::RefundStatus { Quoted, Submitted, AwaitingAirlineFunds, Refunded, Rejected }
}

/// What gets the money back: what the sale was paid with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundedTo {
    Credit,
    Wallet,
}

/// Amounts are decimal strings in `currency`; refund = fare + taxes - penalty.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefundApplication {
    #[schema(example = "rfa_0000000000001")]
    pub id: String,
    pub order_id: String,
    pub agency_id: String,
    pub kind: RefundKind,
    pub status: RefundStatus,
    pub refunded_to: RefundedTo,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "950.00")]
    pub fare_amount: String,
    #[schema(example = "50.00")]
    pub tax_amount: String,
    /// What of the fare is kept; below zero: a part of what was kept before comes back.
    #[schema(example = "190.00")]
    pub penalty_amount: String,
    #[schema(example = "810.00")]
    pub refund_amount: String,
    pub tickets: Vec<TicketRefund>,
    pub reason: Option<String>,
    pub attachment_ids: Vec<String>,
    pub created_at: String,
    /// Until when a quote can be confirmed: 15 minutes, or until something of it would cost more.
    pub expires_at: String,
    /// When it was confirmed: a valid application.
    pub applied_at: Option<String>,
    /// The end of the seventh working day (China) after that.
    pub due_at: Option<String>,
    pub is_overdue: bool,
    pub decided_at: Option<String>,
    pub decided_by_key_id: Option<String>,
    pub decided_by_user_id: Option<String>,
    pub decision_note: Option<String>,
    /// Why the wallet waits; null where it does not.
    pub awaiting: Option<RefundAwaiting>,
    pub completed_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefundAwaiting {
    /// `airline_funds_awaited`: client cash and the platform's own money do not cover the wallet yet.
    #[schema(example = "airline_funds_awaited")]
    pub reason: String,
    /// What was missing when it was last looked at.
    #[schema(example = "725.00")]
    pub short_by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TicketRefund {
    #[schema(example = "rfd_0000000000001")]
    pub id: String,
    pub ticket_id: String,
    #[schema(example = "9992100000001")]
    pub ticket_number: String,
    pub fare_amount: String,
    pub tax_amount: String,
    pub penalty_amount: String,
    pub refund_amount: String,
    pub coupons: Vec<CouponRefund>,
    /// The taxes that come back.
    pub taxes: Vec<TaxRefund>,
    /// Who gives back how much; the parts add up to the refund.
    pub legs: Vec<RefundLeg>,
    /// The remittance cycle in which a sale on credit is credited, once it is.
    pub cycle: Option<String>,
    pub posted_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CouponRefund {
    pub number: i64,
    pub fare_amount: String,
    pub tax_amount: String,
    pub penalty_amount: String,
    /// The ladder's share of the fare; null where no ladder was asked.
    #[schema(example = "0.2")]
    pub penalty_rate: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TaxRefund {
    #[schema(example = "CN")]
    pub code: String,
    pub payee: String,
    pub amount: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundLegKind {
    Airline,
    Authority,
    Commission,
    Fee,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefundLeg {
    pub kind: RefundLegKind,
    /// An airline, the authorities, an agency or the platform.
    pub payer: String,
    #[schema(example = "725.00")]
    pub amount: String,
}

/// An application with the numbers and names of what it is about.
pub fn read_application(db: &mut Db, application: &Application, now: Timestamp) -> Result<RefundApplication, ApiError> {
    let row = &application.row;
    let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
    let amount = |minor| Money::new(minor, currency).to_string();
    let ids: Vec<TicketId> = application.tickets.iter().map(|one| TicketId::of(one.ticket_id)).collect();
    let rows = tickets_by_id(db, &ids)?;
    let airlines: Vec<AirlineId> = rows.values().map(|ticket| AirlineId::of(ticket.airline_id)).collect();
    let mut names: HashMap<i64, String> = HashMap::new();
    names.extend(airlines_by_id(db, &airlines)?.into_iter().map(|airline| (airline.id.raw(), airline.name)));
    let agencies = agencies_by_id(db, &[AgencyId::of(row.agency_id)])?;
    names.extend(agencies.into_iter().map(|agency| (agency.id.raw(), agency.name)));
    let mut tickets = Vec::with_capacity(application.tickets.len());
    for refund in &application.tickets {
        let ticket = rows.get(&TicketId::of(refund.ticket_id));
        let ticket = ticket.ok_or_else(|| ApiError::internal(format!("refund {} has no ticket", refund.id)))?;
        let name = |id: i64| names.get(&id).cloned().unwrap_or_default();
        tickets.push(ticket_refund(
            application,
            refund,
            &ticket.number,
            name(ticket.airline_id),
            name(ticket.agency_id),
            currency,
        ));
    }
    Ok(RefundApplication {
        id: RefundApplicationId::of(row.id).to_string(),
        order_id: OrderId::of(row.order_id).to_string(),
        agency_id: AgencyId::of(row.agency_id).to_string(),
        kind: row.kind()?.into(),
        status: row.status()?.into(),
        refunded_to: if row.tender == Tender::Wallet.text() { RefundedTo::Wallet } else { RefundedTo::Credit },
        currency: row.currency.clone(),
        fare_amount: amount(row.fare_minor),
        tax_amount: amount(row.tax_minor),
        penalty_amount: amount(row.penalty_minor),
        refund_amount: amount(row.refund_minor),
        tickets,
        reason: row.reason.clone(),
        attachment_ids: application.evidence.iter().map(|one| AttachmentId::of(one.attachment_id).to_string()).collect(),
        created_at: time(row.created_at),
        expires_at: time(row.expires_at),
        applied_at: row.applied_at.map(time),
        due_at: row.due_at.map(time),
        is_overdue: row.is_overdue(now),
        decided_at: row.decided_at.map(time),
        decided_by_key_id: row.decided_by_key_id.and_then(by_key),
        decided_by_user_id: row.decided_by_key_id.and_then(by_user),
        decision_note: row.decision_note.clone(),
        awaiting: row.short_minor.map(|short| RefundAwaiting { reason: "airline_funds_awaited".into(), short_by: amount(short) }),
        completed_at: row.completed_at.map(time),
    })
}

fn ticket_refund(
    application: &Application,
    refund: &RefundTicketRow,
    number: &str,
    airline: String,
    agency: String,
    currency: Currency,
) -> TicketRefund {
    let amount = |minor| Money::new(minor, currency).to_string();
    let coupon = |row: &RefundCouponRow| CouponRefund {
        number: row.number,
        fare_amount: amount(row.fare_minor),
        tax_amount: amount(row.tax_minor),
        penalty_amount: amount(row.penalty_minor),
        penalty_rate: row.penalty_rate.clone(),
    };
    let leg = |kind, payer: String, minor| RefundLeg { kind, payer, amount: amount(minor) };
    let taxes = application.taxes.iter().filter(|tax| tax.refund_id == refund.id);
    TicketRefund {
        id: RefundId::of(refund.id).to_string(),
        ticket_id: TicketId::of(refund.ticket_id).to_string(),
        ticket_number: number.to_owned(),
        fare_amount: amount(refund.fare_minor),
        tax_amount: amount(refund.tax_minor),
        penalty_amount: amount(refund.penalty_minor),
        refund_amount: amount(refund.fare_minor + refund.tax_minor - refund.penalty_minor),
        coupons: application.coupons.iter().filter(|row| row.refund_id == refund.id).map(coupon).collect(),
        taxes: taxes
            .map(|tax| TaxRefund { code: tax.code.clone(), payee: tax.payee.clone(), amount: amount(tax.minor) })
            .collect(),
        legs: vec![
            leg(RefundLegKind::Airline, airline, refund.airline_minor),
            leg(RefundLegKind::Authority, "authorities".to_owned(), refund.authority_minor),
            leg(RefundLegKind::Commission, agency, refund.commission_minor),
            leg(RefundLegKind::Fee, "Airsettle".to_owned(), refund.fee_minor),
        ],
        cycle: refund.cycle.clone(),
        posted_at: refund.posted_at.map(time),
    }
}
