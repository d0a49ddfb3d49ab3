//! `/v1/statements`: what agencies were billed for cycles, line by line, and as a file that never changes.

use super::exports::chunk_of;
use super::shape::{PageParams, time};
use super::sight::{Sight, narrowed, not_found};
use crate::api::caller::{Caller, blocking};
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::identity::Scope;
use crate::ids::{AgencyId, BillingStatementId, Id, StatementLineId};
use crate::money::Money;
use crate::settlement::{self, StatementError, StatementLineRow, StatementRow, statement_lines, write_statement};
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, web};
use futures_util::stream::unfold;
use serde::Serialize;
use std::io::{Seek, SeekFrom, Write};
use utoipa::ToSchema;

/// A statement that is closed. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BillingStatement {
    #[schema(example = "bst_0000000000001")]
    pub id: String,
    pub agency_id: String,
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub first_day: String,
    pub last_day: String,
    pub line_count: i64,
    /// Sales less voids, refunds, tickets given in, incentives and what was paid before it was closed.
    #[schema(example = "1000.00")]
    pub gross_amount: String,
    #[schema(example = "30.00")]
    pub commission_amount: String,
    /// Gross less commission; a credit is negative.
    #[schema(example = "970.00")]
    pub to_remit_amount: String,
    /// Of the file.
    pub bytes: i64,
    /// Hexadecimal SHA-256 of the file; also its `ETag`.
    pub sha256: String,
    pub created_at: String,
    pub closed_at: String,
    /// Where the file is.
    #[schema(example = "/v1/statements/bst_0000000000001/content")]
    pub url: String,
}

/// One line: what it adds to the debt, and to the commission that is netted against it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatementLine {
    #[schema(example = "stl_0000000000001")]
    pub id: String,
    /// `sale`, `void`, `exchange`, `given_in`, `refund`, `incentive`; `remittance`, `netted`, `wallet`, `deposit`, `carried`, `paid_out`, `written_off`.
    #[schema(example = "sale")]
    pub kind: String,
    /// The ticket number; of a remittance the bank's reference.
    pub document: String,
    pub booking_reference: String,
    pub date: String,
    #[schema(example = "1000.00")]
    pub gross_amount: String,
    #[schema(example = "30.00")]
    pub commission_amount: String,
    #[schema(example = "970.00")]
    pub net_amount: String,
}

fn shown(row: &StatementRow) -> Result<BillingStatement, ApiError> {
    let (id, currency, cycle) = (BillingStatementId::of(row.id), row.money_currency()?, row.cycle()?);
    let unfinished = || ApiError::internal(format!("statement {id} is not closed"));
    Ok(BillingStatement {
        id: id.to_string(),
        agency_id: AgencyId::of(row.agency_id).to_string(),
        cycle: row.cycle.clone(),
        currency: row.currency.clone(),
        first_day: cycle.first_day().to_string(),
        last_day: cycle.last_day().to_string(),
        line_count: row.line_count,
        gross_amount: Money::new(row.gross_minor, currency).to_string(),
        commission_amount: Money::new(row.commission_minor, currency).to_string(),
        to_remit_amount: row.to_remit()?.to_string(),
        bytes: row.byte_count.ok_or_else(unfinished)?,
        sha256: row.sha256.clone().ok_or_else(unfinished)?,
        created_at: time(row.created_at),
        closed_at: time(row.closed_at.ok_or_else(unfinished)?),
        url: format!("/v1/statements/{id}/content"),
    })
}

fn line(row: &StatementLineRow, of: &StatementRow) -> Result<StatementLine, ApiError> {
    let currency = of.money_currency()?;
    let (gross, commission) = (Money::new(row.gross_minor, currency), Money::new(row.commission_minor, currency));
    Ok(StatementLine {
        id: StatementLineId::of(row.id).to_string(),
        kind: row.kind.clone(),
        document: row.document.clone(),
        booking_reference: row.booking_reference.clone(),
        date: row.day.to_string(),
        gross_amount: gross.to_string(),
        commission_amount: commission.to_string(),
        net_amount: gross.checked_sub(commission).map_err(ApiError::internal)?.to_string(),
    })
}

/// Statements that are closed, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/statements", tag = "Settlement", operation_id = "list_statements",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<BillingStatement>)))]
pub async fn list_statements(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/statements")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| settlement::statements(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row))?))
}

async fn visible(caller: &Caller, id: &str) -> Result<StatementRow, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: BillingStatementId = path_id(id)?;
    let sight = Sight::of(caller).await?;
    let found = caller.read(move |db| settlement::statement(db, id)).await?;
    let seen = |row: &StatementRow| row.closed_at.is_some() && sight.sees_agency(AgencyId::of(row.agency_id));
    found.filter(seen).ok_or_else(not_found)
}

/// One statement: its totals and the digest of its file.
#[utoipa::path(get, path = "/v1/statements/{id}", tag = "Settlement", operation_id = "get_statement",
    params(("id" = String, Path, description = "`bst_…`")), responses((status = 200, body = Data<BillingStatement>)))]
pub async fn get_statement(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(ok(shown(&visible(&caller, &id).await?)?))
}

/// The lines of a statement, newest first; they add up to its totals.
#[utoipa::path(get, path = "/v1/statements/{id}/lines", tag = "Settlement", operation_id = "list_statement_lines",
    params(("id" = String, Path, description = "`bst_…`"), PageParams), responses((status = 200, body = Page<StatementLine>)))]
pub async fn list_lines(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    let of = visible(&caller, &id).await?;
    let request = PageRequest::<i64>::read(&query, "/v1/statements/lines")?;
    let (window, limit, id) = (request.window(), request.fetch(), BillingStatementId::of(of.id));
    let rows = caller.read(move |db| statement_lines(db, id, window, limit)).await?;
    Ok(page(&request.page(rows, |row| row.id).try_map(|row| line(&row, &of))?))
}

/// The file: UTF-8, RFC 4180 with CRLF, a header line, the lines in the order in which they were billed, and the total. The same statement is the same
/// file, to the byte.
#[utoipa::path(get, path = "/v1/statements/{id}/content", tag = "Settlement", operation_id = "get_statement_content",
    params(("id" = String, Path, description = "`bst_…`")),
    responses((status = 200, description = "The file; `ETag` is its SHA-256", body = String, content_type = "text/csv"),
        (status = 500, description = "`internal`: the statement is not what was closed", body = ErrorBody)))]
pub async fn get_content(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let of = visible(&caller, &id).await?;
    let (app, known) = (caller.app.clone(), of.clone());
    let file = blocking(move || {
        let mut file = tempfile::tempfile().map_err(ApiError::internal)?;
        app.store.snapshot(|db| write_statement(db, &known, std::io::BufWriter::new(&mut file))).map_err(
            |error| match error {
                StatementError::Db(error) => ApiError::from(error),
                other => ApiError::internal(other),
            },
        )?;
        file.flush().map_err(ApiError::internal)?;
        file.seek(SeekFrom::Start(0)).map_err(ApiError::internal)?;
        Ok::<_, ApiError>(file)
    })
    .await?;
    let name = format!("statement_{}_{}.csv", AgencyId::of(of.agency_id), of.cycle);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((ETAG, format!("\"{}\"", of.sha256.clone().unwrap_or_default())))
        .no_chunking(u64::try_from(of.byte_count.unwrap_or_default()).unwrap_or_default())
        .streaming(unfold(Some(file), chunk_of)))
}
