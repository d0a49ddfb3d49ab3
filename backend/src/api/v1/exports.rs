//! `/v1/exports`: files for other people's books. The content is made from the journal whenever it is asked for and compared with what was
//! handed out first; see `reconciliation/`.

use super::input::Input;
use super::operations::PendingOperation;
use super::shape::{PageParams, time};
use super::sight::{Sight, not_found, visible_airline};
use crate::api::caller::{Caller, blocking};
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, key_of, once_with};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::identity::Scope;
use crate::ids::{AirlineId, ExportId, Id};
use crate::money::Currency;
use crate::reconciliation::{
    self, AccountMovement, AirlineDay, CurrencyTotals, DayFile, export_file, export_files, export_of, keep_export, read_again,
    write_day,
};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use chrono::NaiveDate;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use utoipa::ToSchema;

/// What is in memory of a file that is being sent.
const CHUNK: u64 = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// What happened to one airline's money on one ledger date.
    AirlineDay,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportFile {
    #[schema(example = "exp_0000000000001")]
    pub id: String,
    pub kind: ExportKind,
    pub airline_id: String,
    /// The ledger date.
    #[schema(example = "2026-11-22")]
    pub date: String,
    /// Lines under the header.
    pub rows: i64,
    pub bytes: i64,
    /// Hexadecimal SHA-256 of the content; also its `ETag`.
    pub sha256: String,
    /// One per currency in which the airline was ever owed anything. They add up and are the ledger's own balances, or there is no file.
    pub totals: Vec<ExportTotal>,
    /// The heads of the ledger's chain, one per node, under which the whole day stands.
    pub anchor: Vec<ExportAnchor>,
    pub created_at: String,
    /// Where the content is.
    #[schema(example = "/v1/exports/exp_0000000000001/content")]
    pub url: String,
}

/// Decimal strings in `currency`: sales less voids, and the airline's two accounts over the day, opening + change = closing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportTotal {
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "1000.00")]
    pub price_amount: String,
    pub base_fare_amount: String,
    pub tax_amount: String,
    #[schema(example = "915.00")]
    pub airline_share_amount: String,
    pub authorities_amount: String,
    pub commission_amount: String,
    pub fee_amount: String,
    /// `airline.payable`: what the airline is owed.
    pub payable: ExportMovement,
    /// `airline.receivable`: what the airline has to give back.
    pub receivable: ExportMovement,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportMovement {
    pub opening_amount: String,
    pub change_amount: String,
    pub closing_amount: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportAnchor {
    pub node: i64,
    pub height: i64,
    /// Hexadecimal SHA-256.
    pub head: String,
}

fn total(of: &CurrencyTotals) -> Result<ExportTotal, ApiError> {
    let currency = Currency::parse(&of.currency).map_err(ApiError::internal)?;
    let amount = |minor: i64| currency.decimal(minor.into());
    let movement = |of: AccountMovement| ExportMovement {
        opening_amount: amount(of.opening),
        change_amount: amount(of.change),
        closing_amount: amount(of.closing),
    };
    Ok(ExportTotal {
        currency: of.currency.clone(),
        price_amount: amount(of.legs.price),
        base_fare_amount: amount(of.legs.base_fare),
        tax_amount: amount(of.legs.tax),
        airline_share_amount: amount(of.legs.airline_share),
        authorities_amount: amount(of.legs.authorities),
        commission_amount: amount(of.legs.commission),
        fee_amount: amount(of.legs.fee),
        payable: movement(of.payable),
        receivable: movement(of.receivable),
    })
}

fn shown(export: &reconciliation::ExportFile) -> Result<ExportFile, ApiError> {
    let anchor = export.file.anchor.iter();
    Ok(ExportFile {
        id: export.id.to_string(),
        kind: ExportKind::AirlineDay,
        airline_id: export.day.airline.to_string(),
        date: export.day.date.to_string(),
        rows: export.file.rows,
        bytes: export.file.bytes,
        sha256: export.file.sha256.clone(),
        totals: export.file.totals.iter().map(total).collect::<Result<_, _>>()?,
        anchor: anchor.map(|at| ExportAnchor { node: at.node, height: at.height, head: at.head.clone() }).collect(),
        created_at: time(export.created_at.naive()),
        url: format!("/v1/exports/{}/content", export.id),
    })
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeExport {
    pub kind: ExportKind,
    #[schema(example = "arl_0000000000001")]
    pub airline_id: String,
    /// A ledger date that is over.
    #[schema(example = "2026-11-22")]
    pub date: String,
}

impl MakeExport {
    fn validate(&self) -> Result<(AirlineId, NaiveDate), ApiError> {
        let mut input = Input::default();
        let (airline, date) = (input.id("airline_id", &self.airline_id), input.date("date", &self.date));
        input.finish(airline.zip(date))
    }
}

/// Makes the file of a day that is over, or answers the one that was made before: the same day is the same file, to the byte. The operator, and
/// the airline itself.
#[utoipa::path(post, path = "/v1/exports", tag = "Settlement", operation_id = "make_export", request_body = Data<MakeExport>,
    responses((status = 201, body = Data<ExportFile>), (status = 200, description = "Made before", body = Data<ExportFile>),
        (status = 202, description = "The outcome is not known yet: read the operation", body = Data<PendingOperation>),
        (status = 404, description = "`not_found`: no such airline, or another's", body = ErrorBody),
        (status = 422, description = "`day_not_over`", body = ErrorBody),
        (status = 500, description = "`export_does_not_tie`", body = ErrorBody)))]
pub async fn make_export(caller: Caller, request: HttpRequest, body: Body<MakeExport>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let (airline, date) = body.data.validate()?;
    let maker = caller.clone();
    let prepared = blocking(move || prepare(&maker, airline, date)).await;
    let prepared = match (prepared, key_of(&request, Key::Accepted)?) {
        // Nothing is written, and there is no key to keep it with.
        (Err(error), None) => return Err(error),
        (Ok(Prepared::Known(known)), None) => return Ok(ok(shown(&known)?)),
        (prepared, _) => prepared,
    };
    let cause = caller.cause();
    once_with(&caller, &request, Key::Accepted, &body.bytes, move |tx| {
        let (day, file) = match prepared? {
            Prepared::Known(known) => return Ok((StatusCode::OK, shown(&known)?)),
            Prepared::New(day, file) => (day, file),
        };
        // Somebody else may have been faster.
        if let Some(known) = export_of(tx.db, day)? {
            return Ok((StatusCode::OK, shown(&known)?));
        }
        let made = keep_export(tx, day, &file)?;
        audit::record(tx, &cause, "export.make", made.id)?;
        Ok((StatusCode::CREATED, shown(&made)?))
    })
    .await
}

/// The day before anything is written about it.
enum Prepared {
    Known(reconciliation::ExportFile),
    New(AirlineDay, DayFile),
}

fn prepare(maker: &Caller, airline: AirlineId, date: NaiveDate) -> Result<Prepared, ApiError> {
    let store = &maker.app.store;
    store.snapshot(|db| {
        visible_airline(maker, db, airline)?;
        let day = AirlineDay::closed(airline, date, maker.app.now(), store.zone())?;
        Ok(match export_of(db, day)? {
            Some(known) => Prepared::Known(known),
            None => Prepared::New(day, write_day(db, day, std::io::sink())?),
        })
    })
}

/// Exports, newest first. The operator sees all, an airline its own.
#[utoipa::path(get, path = "/v1/exports", tag = "Settlement", operation_id = "list_exports",
    params(PageParams), responses((status = 200, body = Page<ExportFile>)))]
pub async fn list_exports(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/exports")?;
    let (window, limit) = (request.window(), request.fetch());
    let of = Sight::of(&caller).await?.airlines;
    let found = caller.read(move |db| export_files(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |export| export.id.raw()).try_map(|export| shown(&export))?))
}

async fn visible_export(caller: &Caller, id: &str) -> Result<reconciliation::ExportFile, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: ExportId = path_id(id)?;
    let sight = Sight::of(caller).await?;
    let found = caller.read(move |db| export_file(db, id)).await?;
    found.filter(|export| sight.sees_airline(export.day.airline)).ok_or_else(not_found)
}

/// One export: its size, digest and totals.
#[utoipa::path(get, path = "/v1/exports/{id}", tag = "Settlement", operation_id = "get_export",
    params(("id" = String, Path, description = "`exp_…`")), responses((status = 200, body = Data<ExportFile>)))]
pub async fn get_export(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(ok(shown(&visible_export(&caller, &id).await?)?))
}

/// The content: one flat table, UTF-8, RFC 4180 with CRLF and a header line. Every line begins with `record_type`. Columns are only ever added at
/// the end; `fixtures/airline_day.csv` of the source says what each column and record type means.
#[utoipa::path(get, path = "/v1/exports/{id}/content", tag = "Settlement", operation_id = "get_export_content",
    params(("id" = String, Path, description = "`exp_…`")),
    responses((status = 200, description = "The file; `ETag` is its SHA-256", body = String, content_type = "text/csv"),
        (status = 500, description = "`export_does_not_tie`: the day is not what it was", body = ErrorBody)))]
pub async fn get_export_content(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let export = visible_export(&caller, &id).await?;
    let (app, known) = (caller.app.clone(), export.clone());
    let (file, carrier) = blocking(move || {
        app.store.snapshot(|db| {
            let airline = crate::airlines::airline(db, known.day.airline)?.ok_or_else(not_found)?;
            Ok::<_, ApiError>((read_again(db, &known)?, airline.iata_code))
        })
    })
    .await?;
    let name = format!("airline_day_{carrier}_{}.csv", export.day.date);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((ETAG, format!("\"{}\"", export.file.sha256)))
        .no_chunking(u64::try_from(export.file.bytes).unwrap_or_default())
        .streaming(unfold(Some(file), chunk_of)))
}

/// The next piece of a file; an error ends the stream short of its length, which the client sees.
pub(super) async fn chunk_of(file: Option<File>) -> Option<(Result<Bytes, ApiError>, Option<File>)> {
    let mut file = file?;
    let read = blocking(move || {
        let mut piece = Vec::new();
        let read = Read::by_ref(&mut file).take(CHUNK).read_to_end(&mut piece).map_err(ApiError::internal)?;
        Ok::<_, ApiError>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    match read.await {
        Ok(None) => None,
        Ok(Some((piece, file))) => Some((Ok(piece), Some(file))),
        Err(error) => Some((Err(error), None)),
    }
}
