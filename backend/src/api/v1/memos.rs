//! `/v1/memos`: what airlines claim from agencies after the sale, or grant them. A claim: the agency answers, and two people of the operator decide through
//! `/v1/approvals`. Nothing is posted before that.

use super::approvals::{of_the_change, wrong};
use super::attachments::check_owned;
use super::input::Input;
use super::memo_shape::{MemoFile, MemoKind, MemoReason, MemoStatus, MemoTicket, file, shown, visible_memo};
use super::shape::PageParams;
use super::sight::{Sight, narrowed, not_found};
use crate::airlines::TicketNumber;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::version::{expected_version, with_version};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::Cause;
use crate::db::WriteTx;
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, AirlineId, ApprovalId, AttachmentId, Id, MemoId};
use crate::money::{Currency, Money};
use crate::settlement::{
    self, ClaimedTicket, Contingent, MemoDecision, MemoFilter, MemoState, MemoStep, NewMemo, Said, claim_memo, contingent,
    decidable, decide_memo, memos, take_step,
};
use actix_web::http::StatusCode;
use actix_web::web::{ServiceConfig, get, post, resource};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MOST_TICKETS: usize = 20;
const MOST_ATTACHMENTS: usize = 10;
const TEXT: usize = 500;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimMemo {
    pub kind: MemoKind,
    pub airline_id: String,
    /// One of `/v1/memo_reasons` for this kind.
    #[schema(example = "fare_undercollected")]
    pub reason: String,
    /// 1 to 20 tickets of this airline that one agency sold.
    pub tickets: Vec<MemoTicket>,
    /// Of an `adm`: what the airline adds for its own work, up to its cap. Zero if not given.
    pub fee_amount: Option<String>,
    /// That of the tickets.
    #[schema(example = "CNY")]
    pub currency: String,
    /// What it is about, for the agency: 1 to 500 characters, without personal data.
    pub note: String,
    /// Evidence, at most ten, uploaded by the same organisation.
    #[serde(default)]
    pub attachment_ids: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeMemo {
    /// One of `/v1/memo_reasons` for a dispute.
    #[schema(example = "waiver_granted")]
    pub reason: String,
    /// 1 to 500 characters, without personal data.
    pub note: String,
    #[serde(default)]
    pub attachment_ids: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainMemo {
    /// 1 to 500 characters, without personal data.
    pub note: String,
    #[serde(default)]
    pub attachment_ids: Vec<String>,
}

/// What open memos of the caller may come to, per kind and currency: contingent, not owed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContingentTotal {
    pub kind: MemoKind,
    #[schema(example = "CNY")]
    pub currency: String,
    pub memos: i64,
    #[schema(example = "150.00")]
    pub amount: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoPage {
    pub data: Vec<super::memo_shape::Memo>,
    pub meta: MemoMeta,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoMeta {
    pub limit: u16,
    pub after: Option<String>,
    pub before: Option<String>,
    /// Over all open memos that match `agency_id`, `airline_id` and `kind`.
    pub contingent: Vec<ContingentTotal>,
}

impl From<Contingent> for ContingentTotal {
    fn from(total: Contingent) -> Self {
        let (currency, amount) = (total.amount.currency.to_string(), total.amount.to_string());
        ContingentTotal { kind: total.kind.into(), currency, memos: total.memos, amount }
    }
}

fn attachments(input: &mut Input, texts: &[String]) -> Option<Vec<AttachmentId>> {
    if texts.len() > MOST_ATTACHMENTS {
        input.fail(Code::InvalidValue, "attachment_ids", "At most ten attachments.");
    }
    let read: Vec<Option<AttachmentId>> =
        texts.iter().enumerate().map(|(place, text)| input.id(&format!("attachment_ids/{place}"), text)).collect();
    read.into_iter().collect()
}

impl ClaimMemo {
    fn validate(&self) -> Result<NewMemo, ApiError> {
        let mut input = Input::default();
        let airline = input.id("airline_id", &self.airline_id);
        if self.tickets.is_empty() || self.tickets.len() > MOST_TICKETS {
            input.fail(Code::InvalidValue, "tickets", "1 to 20 tickets.");
        }
        let fee = input.money(("fee_amount", self.fee_amount.as_deref().unwrap_or("0")), ("currency", &self.currency));
        let tickets = fee.map(|_| self.read_tickets(&mut input));
        let (note, reason) = (input.text("note", &self.note, TEXT), input.text("reason", &self.reason, 64));
        let evidence = attachments(&mut input, &self.attachment_ids);
        let read = (|| {
            let (tickets, evidence) = (tickets?, evidence?);
            Some(NewMemo {
                kind: self.kind.into(),
                airline: airline?,
                reason: reason?,
                tickets,
                fee: fee?,
                note: note?,
                evidence,
            })
        })();
        input.finish(read)
    }

    fn read_tickets(&self, input: &mut Input) -> Vec<ClaimedTicket> {
        let mut read = |(place, one): (usize, &MemoTicket)| {
            let field = |name: &str| format!("tickets/{place}/{name}");
            let number = TicketNumber::parse(&one.number);
            if number.is_none() {
                input.fail(Code::InvalidValue, &field("number"), "A ticket number has 13 digits.");
            }
            let amount = input.money((&field("amount"), &one.amount), ("currency", &self.currency))?;
            if amount.minor <= 0 {
                input.fail(Code::InvalidValue, &field("amount"), "`amount` is more than zero.");
            }
            Some(ClaimedTicket { number: number?, amount })
        };
        self.tickets.iter().enumerate().filter_map(&mut read).collect()
    }
}

/// The reasons for which airlines claim and grant, and agencies dispute.
#[utoipa::path(get, path = "/v1/memo_reasons", tag = "Memos", operation_id = "list_memo_reasons",
    responses((status = 200, body = Data<Vec<MemoReason>>)))]
pub async fn list_memo_reasons(caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let reasons: Vec<MemoReason> = caller.app.catalogue.memos.reasons().iter().map(MemoReason::from).collect();
    Ok(ok(reasons))
}

/// Memos, newest first, with what the open ones may come to. An agency and an airline see their own, the operator all.
#[utoipa::path(get, path = "/v1/memos", tag = "Memos", operation_id = "list_memos",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only against or for this agency"),
        ("airline_id" = Option<String>, Query, description = "Only of this airline"),
        ("kind" = Option<MemoKind>, Query, description = "Only these"),
        ("status" = Option<MemoStatus>, Query, description = "Only with this status; `unanswered` waits for a decision")),
    responses((status = 200, body = MemoPage)))]
pub async fn list_memos(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/memos")?;
    let (window, limit, now) = (request.window(), request.fetch(), caller.app.now());
    let sight = Sight::of(&caller).await?;
    let (agencies, airlines) = match caller.key.kind {
        OrganisationKind::Operator => (None, None),
        OrganisationKind::Airline => (None, sight.airlines),
        OrganisationKind::Agency | OrganisationKind::Bank => (Some(sight.agencies.unwrap_or_default()), None),
    };
    let filter = MemoFilter {
        agencies: narrowed(query.id::<AgencyId>("agency_id")?, agencies),
        airlines: narrowed(query.id::<AirlineId>("airline_id")?, airlines),
        kind: query.word("kind", settlement::MemoKind::parse)?,
        state: query.word("status", MemoState::parse)?,
    };
    let (found, totals) = caller
        .read(move |db| {
            let found = memos(db, &filter, now, window, limit)?;
            let ids: Vec<i64> = found.iter().map(|memo| memo.row.id).collect();
            let rows: Vec<_> = ids.into_iter().zip(shown(db, &found, now)?).collect();
            Ok::<_, ApiError>((rows, contingent(db, &filter)?))
        })
        .await?;
    let found = request.page(found, |(id, _)| *id).map(|(_, memo)| memo);
    let contingent = totals.into_iter().map(ContingentTotal::from).collect();
    let meta = MemoMeta { limit: found.meta.limit, after: found.meta.after, before: found.meta.before, contingent };
    Ok(HttpResponse::Ok().json(MemoPage { data: found.data, meta }))
}

/// One memo with everything that was done about it. Its `ETag` is its version.
#[utoipa::path(get, path = "/v1/memos/{id}", tag = "Memos", operation_id = "get_memo",
    params(("id" = String, Path, description = "`mem_…`")), responses((status = 200, body = Data<MemoFile>)))]
pub async fn get_memo(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: MemoId = path_id(&id)?;
    let (sight, now) = (Sight::of(&caller).await?, caller.app.now());
    let found = caller
        .read(move |db| {
            let known = visible_memo(db, &sight, id)?;
            file(db, &known, now)
        })
        .await?;
    Ok(with_version(found.memo.version, found))
}

/// An airline claims something from an agency (`adm`) or grants it something (`acm`). Nothing is posted: the agency may answer until `answer_by`, and two
/// people of the operator decide. By the airline, or for it by the operator.
#[utoipa::path(post, path = "/v1/memos", tag = "Memos", operation_id = "claim_memo", request_body = Data<ClaimMemo>,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 201, body = Data<MemoFile>), (status = 404, description = "`not_found`: no such airline, ticket or attachment", body = ErrorBody),
        (status = 409, description = "`memo_exists`: the same reason was claimed for the same ticket; `invalid_state`: the agency is closed", body = ErrorBody),
        (status = 422, description = "`ticket_of_another_airline`, `over_ticket_value`, `over_fee_cap`, `currency_mismatch`, `invalid_value`", body = ErrorBody)))]
pub async fn claim(caller: Caller, request: HttpRequest, body: Body<ClaimMemo>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::MemosWrite)?;
    let new = body.data.validate()?;
    let sight = Sight::of(&caller).await?;
    if !sight.sees_airline(new.airline) {
        return Err(not_found().at("/data/airline_id"));
    }
    let (cause, catalogue) = (caller.cause(), caller.app.catalogue.clone());
    let owner = (!caller.is_operator()).then_some(caller.key.organisation);
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        check_owned(tx.db, owner, &new.evidence)?;
        let claimed = claim_memo(tx, &catalogue.memos, &cause, &new)?;
        file(tx.db, &claimed, tx.now)
    })
    .await
}

/// Which of the two takes a step. The operator may do it for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Agency,
    Airline,
}

async fn act(
    caller: Caller,
    request: HttpRequest,
    (id, bytes): (&str, &[u8]),
    (side, step): (Side, MemoStep),
    said: Said,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::MemosWrite)?;
    let id: MemoId = path_id(id)?;
    let said = Said { version: expected_version(&request)?, ..said };
    let sight = Sight::of(&caller).await?;
    let (cause, catalogue) = (caller.cause(), caller.app.catalogue.clone());
    let owner = (!caller.is_operator()).then_some(caller.key.organisation);
    once(&caller, &request, Key::Accepted, bytes, StatusCode::OK, move |tx| {
        let known = visible_memo(tx.db, &sight, id)?;
        let may = match side {
            Side::Agency => sight.sees_agency(known.agency),
            Side::Airline => sight.sees_airline(known.airline),
        };
        if !may {
            return Err(ApiError::new(Code::InsufficientScope, "This is for the other side of the memo to do."));
        }
        check_owned(tx.db, owner, &said.evidence)?;
        let taken = take_step(tx, &catalogue.memos, &cause, id, step, &said)?;
        file(tx.db, &taken, tx.now)
    })
    .await
}

/// A step of the agency's that needs no words.
macro_rules! plain_step {
    ($(#[$doc:meta])* $name:ident, $step:ident, $path:literal, $operation:literal) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "Memos", operation_id = $operation,
            request_body = Data<super::keys::NoDetails>, params(("id" = String, Path, description = "`mem_…`"),
                ("If-Match" = Option<String>, Header, description = "The version that it is to have, in quotes"),
                ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
            responses((status = 200, body = Data<MemoFile>), (status = 403, description = "`insufficient_scope`", body = ErrorBody),
                (status = 409, description = "`invalid_state`", body = ErrorBody), (status = 412, description = "`precondition_failed`", body = ErrorBody)))]
        pub async fn $name(
            caller: Caller,
            request: HttpRequest,
            id: web::Path<String>,
            body: Body<super::keys::NoDetails>,
        ) -> Result<HttpResponse, ApiError> {
            act(caller, request, (id.as_str(), body.bytes.as_ref()), (Side::Agency, MemoStep::$step), Said::default()).await
        }
    };
}

plain_step! {
    /// The agency looks into it. Its clock runs on.
    review, Review, "/v1/memos/{id}/actions/review", "review_memo"
}
plain_step! {
    /// The agency accepts it; the decision is still two people's. Also after its time.
    accept, Accept, "/v1/memos/{id}/actions/accept", "accept_memo"
}
plain_step! {
    /// The agency takes its dispute back: its clock goes on with what was left.
    withdraw_dispute, WithdrawDispute, "/v1/memos/{id}/actions/withdraw_dispute", "withdraw_memo_dispute"
}

/// The agency disputes it, until `answer_by`. The clock stands still.
#[utoipa::path(post, path = "/v1/memos/{id}/actions/dispute", tag = "Memos", operation_id = "dispute_memo",
    request_body = Data<DisputeMemo>, params(("id" = String, Path, description = "`mem_…`"),
        ("If-Match" = Option<String>, Header, description = "The version that it is to have, in quotes"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<MemoFile>), (status = 403, description = "`insufficient_scope`", body = ErrorBody),
        (status = 409, description = "`invalid_state`", body = ErrorBody), (status = 412, description = "`precondition_failed`", body = ErrorBody),
        (status = 422, description = "`memo_clock_over`, `invalid_value`", body = ErrorBody)))]
pub async fn dispute(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<DisputeMemo>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::MemosWrite)?;
    let mut input = Input::default();
    let (reason, note) = (input.text("reason", &body.data.reason, 64), input.text("note", &body.data.note, TEXT));
    let evidence = attachments(&mut input, &body.data.attachment_ids);
    let said = reason.zip(note).zip(evidence);
    let ((reason, note), evidence) = input.finish(said)?;
    let said = Said { reason: Some(reason), note: Some(note), evidence, version: None };
    act(caller, request, (id.as_str(), body.bytes.as_ref()), (Side::Agency, MemoStep::Dispute), said).await
}

fn explained(body: &ExplainMemo) -> Result<Said, ApiError> {
    let mut input = Input::default();
    let note = input.text("note", &body.note, TEXT);
    let evidence = attachments(&mut input, &body.attachment_ids);
    let (note, evidence) = input.finish(note.zip(evidence))?;
    Ok(Said { reason: None, note: Some(note), evidence, version: None })
}

/// The airline answers a dispute.
#[utoipa::path(post, path = "/v1/memos/{id}/actions/answer", tag = "Memos", operation_id = "answer_memo",
    request_body = Data<ExplainMemo>, params(("id" = String, Path, description = "`mem_…`"),
        ("If-Match" = Option<String>, Header, description = "The version that it is to have, in quotes"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<MemoFile>), (status = 403, description = "`insufficient_scope`", body = ErrorBody),
        (status = 409, description = "`invalid_state`", body = ErrorBody), (status = 412, description = "`precondition_failed`", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn answer(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<ExplainMemo>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::MemosWrite)?;
    let said = explained(&body.data)?;
    act(caller, request, (id.as_str(), body.bytes.as_ref()), (Side::Airline, MemoStep::Answer), said).await
}

/// The airline takes its memo back, as long as nobody has decided.
#[utoipa::path(post, path = "/v1/memos/{id}/actions/withdraw", tag = "Memos", operation_id = "withdraw_memo",
    request_body = Data<ExplainMemo>, params(("id" = String, Path, description = "`mem_…`"),
        ("If-Match" = Option<String>, Header, description = "The version that it is to have, in quotes"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<MemoFile>), (status = 403, description = "`insufficient_scope`", body = ErrorBody),
        (status = 409, description = "`invalid_state`", body = ErrorBody), (status = 412, description = "`precondition_failed`", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn withdraw(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<ExplainMemo>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::MemosWrite)?;
    let said = explained(&body.data)?;
    act(caller, request, (id.as_str(), body.bytes.as_ref()), (Side::Airline, MemoStep::Withdraw), said).await
}

/// What two people decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Uphold,
    Dismiss,
}

/// What two people agree on about a memo: how much of it is owed, or that nothing is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideMemo {
    memo_id: String,
    decision: Verdict,
    /// Of what is upheld.
    amount: Option<String>,
    currency: Option<String>,
}

impl DecideMemo {
    fn read(&self) -> Result<(MemoId, MemoDecision), ApiError> {
        let id = MemoId::parse(&self.memo_id).map_err(|error| wrong("memo_id", error))?;
        let decision = match (self.decision, &self.amount, &self.currency) {
            (Verdict::Uphold, Some(amount), Some(code)) => {
                let currency = Currency::parse(code).map_err(|error| wrong("currency", error))?;
                MemoDecision::Uphold(Money::parse(amount, currency).map_err(|error| wrong("amount", error))?)
            }
            (Verdict::Uphold, None, _) => return Err(wrong("amount", "What is upheld has an amount")),
            (Verdict::Uphold, _, None) => return Err(wrong("currency", "What is upheld has a currency")),
            (Verdict::Dismiss, None, None) => MemoDecision::Dismiss,
            (Verdict::Dismiss, ..) => return Err(wrong("amount", "What is dismissed has no amount")),
        };
        Ok((id, decision))
    }
}

impl Proposal for DecideMemo {
    const KIND: ChangeKind = ChangeKind::MemoDecision;
    type Error = ApiError;

    fn subject(&self) -> String {
        self.memo_id.clone()
    }

    /// Whatever is done about the memo meanwhile makes it another decision.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, ApiError> {
        let (id, decision) = self.read()?;
        let known = decidable(tx, id, decision).map_err(|error| of_the_change(ApiError::from(error)))?;
        Ok(format!("{id} version {} {}", known.version, known.state_at(tx.now).text()))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, ApiError> {
        let (id, decision) = self.read()?;
        let decided = decide_memo(tx, cause, id, decision, None, approval)?;
        Ok(decided.id.to_string())
    }
}

/// What airlines claim or grant after the sale.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/memo_reasons").route(get().to(list_memo_reasons)))
        .service(resource("/v1/memos").route(get().to(list_memos)).route(post().to(claim)))
        .service(resource("/v1/memos/{id}").route(get().to(get_memo)))
        .service(resource("/v1/memos/{id}/actions/review").route(post().to(review)))
        .service(resource("/v1/memos/{id}/actions/accept").route(post().to(accept)))
        .service(resource("/v1/memos/{id}/actions/dispute").route(post().to(dispute)))
        .service(resource("/v1/memos/{id}/actions/withdraw_dispute").route(post().to(withdraw_dispute)))
        .service(resource("/v1/memos/{id}/actions/answer").route(post().to(answer)))
        .service(resource("/v1/memos/{id}/actions/withdraw").route(post().to(withdraw)))
        .service(
            resource("/v1/airline_payments")
                .route(get().to(super::airline_payments::list_airline_payments))
                .route(post().to(super::airline_payments::pay)),
        );
}
