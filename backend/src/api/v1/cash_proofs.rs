//! `/v1/cash_proofs`: every day of our bank accounts, held against the bank's statement. The close of day makes them.

use super::shape::{PageParams, choice, time};
use super::sight::{not_found, require_operator};
use crate::api::caller::Caller;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::identity::Scope;
use crate::ids::{CashProofId, Id, PostingId};
use crate::ledger::Purse;
use crate::money::Money;
use crate::settlement::{self, CashItemRow, CashProofFilter, CashProofRow, cash_items, cash_proof, cash_proofs};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

choice! {
    /// `unavailable`: the bank gave no statement; the day is tried again with the next close.
    CashProofState = settlement::ProofState { Proven, Unexplained, Unavailable }
}
choice! {
    /// The first three are named; `unknown_payment` and `other_amount` explain nothing.
    CashItemKind = settlement::CashItemKind { InTransit, UnmatchedReceipt, BankFee, UnknownPayment, OtherAmount }
}

/// One day of one bank account. Bank - ledger = unmatched receipts + bank fees - in transit + unexplained. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CashProof {
    #[schema(example = "csp_0000000000001")]
    pub id: String,
    /// `own` or `client`.
    #[schema(example = "own")]
    pub account: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The ledger date that it closes.
    pub date: String,
    pub state: CashProofState,
    #[schema(example = "1000.00")]
    pub ledger_amount: String,
    #[schema(example = "1000.00")]
    pub bank_amount: String,
    /// In the ledger, and not at the bank yet; payments are negative.
    pub in_transit_amount: String,
    /// At the bank, and recorded by nobody yet.
    pub unmatched_receipts_amount: String,
    /// Taken by the bank, and recorded by nobody yet: negative.
    pub bank_fees_amount: String,
    pub unexplained_amount: String,
    /// Why there is no statement.
    pub error: Option<String>,
    pub created_at: String,
    pub proven_at: Option<String>,
}

/// A proof with what one of the two sides lacked at the end of its day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CashProofFile {
    #[serde(flatten)]
    pub proof: CashProof,
    pub items: Vec<CashItem>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CashItem {
    pub kind: CashItemKind,
    /// As it moves the account.
    pub amount: String,
    pub bank_reference: String,
    /// The posting of what the ledger has.
    pub posting_id: Option<String>,
    /// The day from which on the other side lacks it.
    pub since: String,
}

fn shown(row: &CashProofRow) -> Result<CashProof, ApiError> {
    let currency = row.money_currency()?;
    let amount = |minor| Money::new(minor, currency).to_string();
    let state = settlement::ProofState::parse(&row.state);
    Ok(CashProof {
        id: CashProofId::of(row.id).to_string(),
        account: row.account.clone(),
        currency: row.currency.clone(),
        date: row.date.to_string(),
        state: state.ok_or_else(|| ApiError::internal(format!("state of cash proof {}", row.id)))?.into(),
        ledger_amount: amount(row.ledger_minor),
        bank_amount: amount(row.bank_minor),
        in_transit_amount: amount(row.in_transit_minor),
        unmatched_receipts_amount: amount(row.unmatched_receipts_minor),
        bank_fees_amount: amount(row.bank_fees_minor),
        unexplained_amount: amount(row.unexplained_minor),
        error: row.error.clone(),
        created_at: time(row.created_at),
        proven_at: row.proven_at.map(time),
    })
}

fn item(row: &CashItemRow, proof: &CashProofRow) -> Result<CashItem, ApiError> {
    let kind = settlement::CashItemKind::parse(&row.kind);
    Ok(CashItem {
        kind: kind.ok_or_else(|| ApiError::internal(format!("kind of cash item {}", row.id)))?.into(),
        amount: Money::new(row.amount_minor, proof.money_currency()?).to_string(),
        bank_reference: row.bank_reference.clone(),
        posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
        since: row.since.to_string(),
    })
}

/// Proofs of cash, newest first. The operator only.
#[utoipa::path(get, path = "/v1/cash_proofs", tag = "Settlement", operation_id = "list_cash_proofs",
    params(PageParams, ("account" = Option<String>, Query, description = "Only of `own` or of `client`"),
        ("state" = Option<CashProofState>, Query, description = "Only in this state")),
    responses((status = 200, body = Page<CashProof>)))]
pub async fn list_cash_proofs(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/cash_proofs")?;
    let (window, limit) = (request.window(), request.fetch());
    let filter = CashProofFilter {
        purse: query.word("account", Purse::parse)?,
        state: query.word("state", settlement::ProofState::parse)?,
    };
    let found = caller.read(move |db| cash_proofs(db, &filter, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row))?))
}

/// One proof with its items. The operator only.
#[utoipa::path(get, path = "/v1/cash_proofs/{id}", tag = "Settlement", operation_id = "get_cash_proof",
    params(("id" = String, Path, description = "`csp_…`")), responses((status = 200, body = Data<CashProofFile>)))]
pub async fn get_cash_proof(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let id: CashProofId = path_id(&id)?;
    let found = caller
        .read(move |db| {
            let row = cash_proof(db, id)?.ok_or_else(not_found)?;
            let items = cash_items(db, &row)?.iter().map(|one| item(one, &row)).collect::<Result<Vec<_>, ApiError>>()?;
            Ok::<_, ApiError>(CashProofFile { proof: shown(&row)?, items })
        })
        .await?;
    Ok(ok(found))
}
