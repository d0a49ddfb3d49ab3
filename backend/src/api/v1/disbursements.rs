//! `/v1/disbursements`: the payment of every ticket's airline share.

use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found};
use crate::airlines::TicketNumber;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::credit::{self, Advance, AdvanceFilter, AttemptRow, advance, advances_where, attempts_of, payment_reference};
use crate::db::Db;
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AdvanceId, AirlineId, Id, TicketId};
use crate::ticketing::{TicketFilter, ticket_by_number, tickets};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

choice! {
    /// `held` (not sent yet), `sent` (the bank has it), `unknown` (the bank is being asked), `failed` (refused; the next attempt follows), `confirmed` (paid), `set_off`
    /// (paid by what the airline had to give back), `cancelled` (the ticket was voided before it was paid).
    DisbursementState = credit::AdvanceState { Held, Sent, Unknown, Failed, Confirmed, SetOff, Cancelled }
}

choice! {
    /// A bank line; client cash for a ticket from the wallet; own money on the airline's terms.
    PaidFrom = credit::Funding { Line, Client, Own }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Disbursement {
    #[schema(example = "adv_0000000000001")]
    pub id: String,
    pub ticket_id: String,
    pub airline_id: String,
    /// The bank line that pays; null where `paid_from` is something else.
    pub facility_id: Option<String>,
    pub paid_from: PaidFrom,
    /// When its payment was ordered: at the sale, or on its day by the contract's `airline_payment`. Null before that day.
    pub ordered_at: Option<String>,
    #[schema(example = "915.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Of the amount: set off against what the airline had to give back, so that it is not paid.
    pub set_off_amount: String,
    /// Of the amount: not to be paid any more.
    pub cancelled_amount: String,
    /// Of the amount: taken back by a void while the bank had it. To be given back if the bank confirms, cancelled if it refuses.
    pub reclaimed_amount: String,
    /// What the bank was or is told to pay.
    pub payable_amount: String,
    pub state: DisbursementState,
    /// The number of the current or last attempt, from 1.
    pub attempt: i64,
    /// Our reference of that attempt at the bank.
    pub payment_reference: String,
    /// The bank's reference, once it has paid.
    pub bank_reference: Option<String>,
    /// What the bank last said, where it is not confirmed; or why it waits.
    pub detail: Option<String>,
    /// Until when it waits, or has waited, because its airline owes as much as it may (`/v1/airline_caps`) or own money is short; it leaves earlier when that is over.
    pub waits_until: Option<String>,
    /// When the ticket was sold. All times are RFC 3339, UTC.
    pub sold_at: String,
    /// When the current attempt left.
    pub sent_at: Option<String>,
    /// When the bank's confirmation was booked.
    pub confirmed_at: Option<String>,
    /// When the bank says that it credited the airline.
    pub credited_at: Option<String>,
    /// Milliseconds from the sale to the confirmation.
    #[schema(example = 180)]
    pub sale_to_credit_millis: Option<i64>,
    /// Earlier attempts that failed, first to last. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_attempts: Option<Vec<DisbursementAttempt>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DisbursementAttempt {
    pub attempt: i64,
    pub payment_reference: String,
    /// `failed`
    pub outcome: String,
    /// What the bank said.
    pub detail: String,
    pub sent_at: Option<String>,
    pub ended_at: String,
}

impl From<Advance> for Disbursement {
    fn from(advance: Advance) -> Self {
        Disbursement {
            id: advance.id.to_string(),
            ticket_id: advance.ticket.to_string(),
            airline_id: advance.airline.to_string(),
            facility_id: advance.facility.map(|id| id.to_string()),
            paid_from: advance.funding.into(),
            ordered_at: advance.ordered_at.map(|at| at.to_string()),
            amount: advance.amount.to_string(),
            currency: advance.amount.currency.to_string(),
            set_off_amount: advance.set_off.to_string(),
            cancelled_amount: advance.cancelled.to_string(),
            reclaimed_amount: advance.reclaimed.to_string(),
            payable_amount: advance.outstanding().to_string(),
            state: advance.state.into(),
            attempt: advance.attempt,
            payment_reference: payment_reference(advance.id, advance.attempt),
            sale_to_credit_millis: advance.sale_to_credit().map(|span| span.num_milliseconds()),
            bank_reference: advance.bank_reference,
            detail: advance.detail,
            waits_until: advance.waits_until.map(|at| at.to_string()),
            sold_at: advance.sold_at.to_string(),
            sent_at: advance.sent_at.map(|at| at.to_string()),
            confirmed_at: advance.confirmed_at.map(|at| at.to_string()),
            credited_at: advance.credited_at.map(|at| at.to_string()),
            failed_attempts: None,
        }
    }
}

impl From<AttemptRow> for DisbursementAttempt {
    fn from(row: AttemptRow) -> Self {
        DisbursementAttempt {
            payment_reference: payment_reference(AdvanceId::of(row.advance_id), row.attempt),
            attempt: row.attempt,
            outcome: row.outcome,
            detail: row.detail,
            sent_at: row.sent_at.map(time),
            ended_at: time(row.ended_at),
        }
    }
}

/// With its earlier attempts.
pub(super) fn with_attempts(db: &mut Db, advance: Advance) -> Result<Disbursement, ApiError> {
    let attempts = attempts_of(db, advance.id)?.into_iter().map(DisbursementAttempt::from).collect();
    Ok(Disbursement { failed_attempts: Some(attempts), ..advance.into() })
}

/// The ticket of a `ticket` parameter: a number or an id.
enum Asked {
    Id(TicketId),
    Number(TicketNumber),
}

fn asked_ticket(query: &Query) -> Result<Option<Asked>, ApiError> {
    let Some(text) = query.get("ticket") else { return Ok(None) };
    let asked = TicketNumber::parse(text).map(Asked::Number).or_else(|| TicketId::parse(text).ok().map(Asked::Id));
    let message = "`ticket` is a ticket number of 13 digits or an id such as `tkt_…`.";
    asked.map(Some).ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("ticket"))
}

/// What the caller sees of the payments.
async fn visible_advances(caller: &Caller) -> Result<AdvanceFilter, ApiError> {
    let sight = Sight::of(caller).await?;
    let all = AdvanceFilter::default();
    Ok(match caller.key.kind {
        OrganisationKind::Operator => all,
        OrganisationKind::Agency => AdvanceFilter { agencies: sight.agencies, ..all },
        OrganisationKind::Airline => AdvanceFilter { airlines: sight.airlines, ..all },
        OrganisationKind::Bank => AdvanceFilter { facilities: sight.facilities, ..all },
    })
}

/// Payments to airlines, newest first: those the caller sees.
#[utoipa::path(get, path = "/v1/disbursements", tag = "Settlement", operation_id = "list_disbursements",
    params(PageParams,
        ("state" = Option<DisbursementState>, Query, description = "Only in this state"),
        ("airline_id" = Option<String>, Query, description = "Only to this airline"),
        ("ticket" = Option<String>, Query, description = "Only of this ticket: its number or its id")),
    responses((status = 200, body = Page<Disbursement>)))]
pub async fn list_disbursements(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/disbursements")?;
    let (window, limit) = (request.window(), request.fetch());
    let mut filter = visible_advances(&caller).await?;
    if let Some(text) = query.get("state") {
        let message = "`state` is `held`, `sent`, `unknown`, `failed`, `confirmed`, `set_off` or `cancelled`.";
        let state = credit::AdvanceState::parse(text);
        filter.state = Some(state.ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("state"))?);
    }
    if let Some(asked) = query.id::<AirlineId>("airline_id")? {
        let visible = filter.airlines.as_ref().is_none_or(|own| own.contains(&asked));
        filter.airlines = Some(if visible { vec![asked] } else { Vec::new() });
    }
    let ticket = asked_ticket(&query)?;
    let found = caller
        .read(move |db| {
            match ticket {
                None => {}
                Some(Asked::Id(id)) => filter.ticket = Some(id),
                Some(Asked::Number(number)) => match ticket_by_number(db, &number)? {
                    Some(row) => filter.ticket = Some(TicketId::of(row.id)),
                    None => return Ok(Vec::new()),
                },
            }
            advances_where(db, &filter, window, limit)
        })
        .await?;
    Ok(page(&request.page(found, |advance| advance.id.raw()).map(Disbursement::from)))
}

/// One payment with its attempts and times.
#[utoipa::path(get, path = "/v1/disbursements/{id}", tag = "Settlement", operation_id = "get_disbursement",
    params(("id" = String, Path, description = "`adv_…`")), responses((status = 200, body = Data<Disbursement>)))]
pub async fn get_disbursement(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: AdvanceId = path_id(&id)?;
    let (sight, kind) = (Sight::of(&caller).await?, caller.key.kind);
    let found = caller
        .read(move |db| {
            let advance = advance(db, id)?.ok_or_else(not_found)?;
            let visible = match kind {
                OrganisationKind::Operator => true,
                OrganisationKind::Airline => sight.sees_airline(advance.airline),
                OrganisationKind::Bank => advance.facility.is_some_and(|id| sight.sees_facility(id)),
                OrganisationKind::Agency => {
                    let own = TicketFilter { agencies: sight.agencies, ..TicketFilter::default() };
                    let just_this = crate::db::Window::OlderThan(advance.ticket.raw().saturating_add(1));
                    tickets(db, &own, just_this, 1)?.first().is_some_and(|row| row.id == advance.ticket.raw())
                }
            };
            if !visible {
                return Err(not_found());
            }
            with_attempts(db, advance)
        })
        .await?;
    Ok(ok(found))
}
