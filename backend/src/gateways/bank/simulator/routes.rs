//! The simulated bank's HTTP face, and how a scripted fault shapes an answer. What must happen whether or not the client waits
//! for it (settling later, notifying) runs in a task of its own, since a handler ends when its client hangs up.

use super::{
    desk::{Desk, DeskError, Intake},
    faults::{Fault, FaultPlan, MAX_SCRIPT},
    notifier::Notifier,
    order,
};
use crate::{
    clock::Timestamp,
    gateways::bank::{
        PaymentOrder, PaymentStatus,
        wire::{WireError, WireOrder, WirePayment, WireStatus, instant},
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    error::{InternalError, JsonPayloadError, QueryPayloadError},
    http::StatusCode,
    web::{self, Bytes, Data, Json, JsonConfig, Path, Query, QueryConfig, ServiceConfig},
};
use chrono::NaiveDate;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::{future::ready, io, sync::Arc, time::Duration};
use tokio::time::sleep;

const MAX_ORDER_BYTES: usize = 16 * 1024;
/// A script entry takes 128 bytes at most, with as much room for spaces.
const MAX_PLAN_BYTES: usize = MAX_SCRIPT * 256;

pub struct Bank {
    pub desk: Desk,
    pub notifier: Notifier,
}

pub fn configure(app: &mut ServiceConfig, bank: Arc<Bank>) {
    let json = |limit| JsonConfig::default().limit(limit).error_handler(bad_json);
    let faults = web::resource("/faults")
        .route(web::get().to(get_faults))
        .route(web::post().to(post_faults))
        .route(web::delete().to(delete_faults));
    let clock = web::resource("/clock").route(web::post().to(post_clock));
    app.app_data(Data::from(bank))
        .app_data(json(MAX_ORDER_BYTES))
        .app_data(QueryConfig::default().error_handler(bad_query))
        .route("/healthz", web::get().to(get_healthz))
        .route("/payments", web::post().to(post_payment))
        .route("/payments/{reference}", web::get().to(get_payment))
        .route("/accounts/{account}/statement", web::get().to(get_statement))
        .service(web::scope("/control").app_data(json(MAX_PLAN_BYTES)).service(faults).service(clock));
}

async fn post_payment(bank: Data<Bank>, body: Json<WireOrder>) -> HttpResponse {
    let wire = body.into_inner();
    let reference = wire.reference.clone();
    let order = match PaymentOrder::try_from(wire).map_err(|error| error.to_string()).and_then(order::check) {
        Ok(order) => order,
        Err(reason) => return turn_down(&bank, &reference, reason),
    };
    match bank.desk.receive(&order) {
        Ok(Intake::Down) => down(),
        Ok(Intake::Full) => problem(StatusCode::SERVICE_UNAVAILABLE, "full", "no more payments fit"),
        Ok(Intake::Conflict(field)) => conflict(&reference, field),
        Ok(Intake::Known(status)) => answer(&reference, &status),
        Ok(Intake::Taken(fault, status)) => behave(bank.into_inner(), reference, fault, status).await,
        Err(error) => failed(&error),
    }
}

/// An order that makes no sense is refused, but never under a reference that stands for a payment already.
fn turn_down(bank: &Bank, reference: &str, reason: String) -> HttpResponse {
    match bank.desk.status(reference) {
        None => down(),
        Some(PaymentStatus::NotFound) => {
            answer(reference, &PaymentStatus::Refused { code: "invalid".into(), reason, is_final: true })
        }
        Some(_) => conflict(reference, "content"),
    }
}

/// Gives the answer that the fault leaves of it.
async fn behave(bank: Arc<Bank>, reference: String, fault: Fault, status: PaymentStatus) -> HttpResponse {
    match fault {
        Fault::Normal | Fault::WrongAmount { .. } | Fault::Refuse { .. } => answer(&reference, &status),
        Fault::Slow { ms } => {
            let settled = tokio::spawn(settle_after(bank, reference.clone(), ms)).await;
            match settled {
                Ok(Ok(status)) => answer(&reference, &status),
                Ok(Err(error)) => failed(&error),
                Err(_) => hang_up(),
            }
        }
        Fault::TimeoutAfterSuccess { ms } => {
            sleep(Duration::from_millis(ms)).await;
            hang_up()
        }
        Fault::Error500 { .. } => problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "failed as told"),
        Fault::DuplicateCallback => {
            tokio::spawn(notify(bank, reference.clone(), 2));
            answer(&reference, &status)
        }
        Fault::AcceptThenCallback { ms } => {
            tokio::spawn(settle_and_notify(bank, reference.clone(), ms));
            answer(&reference, &status)
        }
        Fault::CallbackBeforeAnswer => match tokio::spawn(notify(bank, reference.clone(), 1)).await {
            Ok(()) => answer(&reference, &status),
            Err(_) => hang_up(),
        },
        Fault::DropConnection => hang_up(),
        Fault::Down => down(),
    }
}

async fn settle_after(bank: Arc<Bank>, reference: String, ms: u64) -> Result<PaymentStatus, DeskError> {
    sleep(Duration::from_millis(ms)).await;
    bank.desk.settle(&reference)
}

/// Also what happens at start to a payment that was accepted before.
pub async fn settle_and_notify(bank: Arc<Bank>, reference: String, ms: u64) {
    match settle_after(bank.clone(), reference.clone(), ms).await {
        Ok(_) => notify(bank, reference, 1).await,
        Err(error) => tracing::error!(%error, reference, "an accepted payment cannot be settled"),
    }
}

async fn notify(bank: Arc<Bank>, reference: String, times: u32) {
    if let Some(report) = bank.desk.report(&reference) {
        for _ in 0..times {
            bank.notifier.deliver(&report, bank.desk.clock()).await;
        }
    }
}

async fn get_payment(bank: Data<Bank>, reference: Path<String>) -> HttpResponse {
    match bank.desk.status(&reference) {
        None => down(),
        Some(PaymentStatus::NotFound) => answer(&reference, &PaymentStatus::NotFound),
        // To a question, a refusal is a good answer.
        Some(status) => HttpResponse::Ok().json(payment(&reference, &status)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementQuery {
    date: Option<NaiveDate>,
    #[serde(default)]
    after: u64,
}

async fn get_statement(bank: Data<Bank>, account: Path<String>, query: Query<StatementQuery>) -> HttpResponse {
    match bank.desk.statement(&account, query.date, query.after) {
        None => down(),
        Some(statement) => HttpResponse::Ok().json(statement),
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn get_healthz(bank: Data<Bank>) -> HttpResponse {
    if bank.desk.is_down() { down() } else { HttpResponse::Ok().json(Health { status: "ok" }) }
}

#[derive(Serialize)]
struct PlanAnswer {
    #[serde(flatten)]
    plan: FaultPlan,
    down: bool,
}

async fn get_faults(bank: Data<Bank>) -> HttpResponse {
    let (plan, down) = bank.desk.plan();
    HttpResponse::Ok().json(PlanAnswer { plan, down })
}

async fn post_faults(bank: Data<Bank>, plan: Json<FaultPlan>) -> HttpResponse {
    match bank.desk.replace_plan(plan.into_inner()) {
        Ok(()) => get_faults(bank).await,
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, "bad_plan", &error.to_string()),
    }
}

async fn delete_faults(bank: Data<Bank>) -> HttpResponse {
    post_faults(bank, Json(FaultPlan::default())).await
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Now {
    #[serde(with = "instant")]
    now: Timestamp,
}

/// Moves the bank's clock forward, so that it can follow that of a sandbox.
async fn post_clock(bank: Data<Bank>, body: Json<Now>) -> HttpResponse {
    match bank.desk.clock().set(body.now) {
        Ok(_) => HttpResponse::Ok().json(Now { now: bank.desk.clock().now() }),
        Err(error) => problem(StatusCode::CONFLICT, "clock", &error.to_string()),
    }
}

fn payment(reference: &str, status: &PaymentStatus) -> WirePayment {
    WirePayment { reference: reference.to_owned(), status: WireStatus::from(status) }
}

fn answer(reference: &str, status: &PaymentStatus) -> HttpResponse {
    let code = match status {
        PaymentStatus::NotFound => StatusCode::NOT_FOUND,
        PaymentStatus::Accepted => StatusCode::ACCEPTED,
        PaymentStatus::Settled { .. } => StatusCode::OK,
        PaymentStatus::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    HttpResponse::build(code).json(payment(reference, status))
}

fn problem(code: StatusCode, error: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(code).json(WireError { error: error.to_owned(), detail: detail.to_owned() })
}

fn conflict(reference: &str, field: &str) -> HttpResponse {
    problem(StatusCode::CONFLICT, "conflict", &format!("{reference} was ordered before with another {field}"))
}

fn down() -> HttpResponse {
    problem(StatusCode::SERVICE_UNAVAILABLE, "down", "the bank is down")
}

fn failed(error: &DeskError) -> HttpResponse {
    tracing::error!(%error, "payment failed");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", &error.to_string())
}

/// A body that breaks off before its first byte makes the server close the connection without an answer.
fn hang_up() -> HttpResponse {
    let broken = stream::once(ready(Err::<Bytes, io::Error>(io::Error::other("hung up as told"))));
    HttpResponse::Ok().streaming(broken)
}

fn bad_json(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let code = match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    let response = problem(code, "unreadable", &error.to_string());
    InternalError::from_response(error, response).into()
}

fn bad_query(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let response = problem(StatusCode::BAD_REQUEST, "unreadable", &error.to_string());
    InternalError::from_response(error, response).into()
}
