//! `/v1/airline_claims`: what airlines were paid for tickets that were voided or owe of incentives, and how they gave it back.

use super::shape::{PageParams, time};
use super::sight::{Sight, narrowed};
use crate::api::caller::Caller;
use crate::api::envelope::{Page, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::credit::{self, ClaimCause, SettlementRow, claims, settlements_of};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AdvanceId, AirlineId, BankReceiptId, Id, PostingId};
use crate::money::Money;
use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AirlineClaim {
    #[schema(example = "clm_0000000000001")]
    pub id: String,
    pub airline_id: String,
    /// The ticket that was voided after the airline was paid; null of an incentive.
    pub ticket_id: Option<String>,
    /// The period whose incentive the airline funds; null of a ticket.
    pub incentive_period_id: Option<String>,
    /// The memo that grants an agency what the airline has to give back.
    pub memo_id: Option<String>,
    #[schema(example = "915.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub settled_amount: String,
    pub open_amount: String,
    /// Of the contract that the ticket was sold under, or of the programme: `set_off` against the next advances, or `repay_on_demand`.
    pub terms: String,
    /// How it was settled, in that order.
    pub settlements: Vec<ClaimSettlement>,
    pub created_at: String,
    pub settled_at: Option<String>,
}

/// Either an advance that was paid less, or money that came back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClaimSettlement {
    pub amount: String,
    /// The advance it was set off against.
    pub disbursement_id: Option<String>,
    pub bank_receipt_id: Option<String>,
    pub posting_id: String,
    pub created_at: String,
}

fn shown(claim: &credit::Claim, settlements: &[SettlementRow]) -> AirlineClaim {
    let settlement = |row: &SettlementRow| ClaimSettlement {
        amount: Money::new(row.amount_minor, claim.amount.currency).to_string(),
        disbursement_id: row.advance_id.map(|id| AdvanceId::of(id).to_string()),
        bank_receipt_id: row.receipt_id.map(|id| BankReceiptId::of(id).to_string()),
        posting_id: PostingId::of(row.posting_id).to_string(),
        created_at: time(row.created_at),
    };
    let (ticket, period, memo) = match claim.cause {
        ClaimCause::Ticket(id) => (Some(id), None, None),
        ClaimCause::Incentive(id) => (None, Some(id), None),
        ClaimCause::Memo(id) => (None, None, Some(id)),
    };
    AirlineClaim {
        id: claim.id.to_string(),
        airline_id: claim.airline.to_string(),
        ticket_id: ticket.map(|id| id.to_string()),
        incentive_period_id: period.map(|id| id.to_string()),
        memo_id: memo.map(|id| id.to_string()),
        amount: claim.amount.to_string(),
        currency: claim.amount.currency.to_string(),
        settled_amount: claim.settled.to_string(),
        open_amount: claim.open().to_string(),
        terms: claim.terms.text().to_owned(),
        settlements: settlements.iter().filter(|row| row.claim_id == claim.id.raw()).map(settlement).collect(),
        created_at: time(claim.created_at),
        settled_at: claim.settled_at.map(time),
    }
}

/// Claims, newest first. The operator sees all, an airline its own.
#[utoipa::path(get, path = "/v1/airline_claims", tag = "Settlement", operation_id = "list_airline_claims",
    params(PageParams, ("airline_id" = Option<String>, Query, description = "Only on this airline")),
    responses((status = 200, body = Page<AirlineClaim>)))]
pub async fn list_airline_claims(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/airline_claims")?;
    let (window, limit) = (request.window(), request.fetch());
    let sight = Sight::of(&caller).await?;
    let visible = if caller.key.kind == OrganisationKind::Operator { None } else { Some(sight.airlines.unwrap_or_default()) };
    let of: Option<Vec<AirlineId>> = narrowed(query.id("airline_id")?, visible);
    let found = caller
        .read(move |db| {
            let found = claims(db, of.as_deref(), window, limit)?;
            let settled = settlements_of(db, &found.iter().map(|claim| claim.id).collect::<Vec<_>>())?;
            Ok::<_, ApiError>(found.into_iter().map(|claim| (claim.id, shown(&claim, &settled))).collect::<Vec<_>>())
        })
        .await?;
    Ok(page(&request.page(found, |(id, _)| id.raw()).map(|(_, claim)| claim)))
}
