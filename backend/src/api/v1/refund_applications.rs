//! `/v1/refund_applications`: refunds of tickets, coupons and passengers: quoted, confirmed, and decided by a person where their kind needs one.

use super::input::Input;
use super::postings::{LedgerPosting, with_entries};
use super::refund_shape::{RefundApplication, RefundKind, read_application};
use super::shape::{PageParams, choice};
use super::sight::{Sight, not_found, require_one};
use crate::airlines::TicketNumber;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::db::{Db, WriteTx};
use crate::identity::Scope;
use crate::ids::{AgencyId, AttachmentId, Id, OrderId, PassengerId, RefundApplicationId};
use crate::ledger::{Event, postings_about};
use crate::money::{Currency, Money};
use crate::ordering::order;
use crate::ticketing::{
    self, Application, ApplicationFilter, IssuedOrder, RefundRequest, WantedTicket, confirm_refund, decide_refund, issued_orders,
    quote_refund, refund_application, refund_applications, ticket_by_number,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefundApplication {
    pub kind: RefundKind,
    /// The order; may be left out where tickets are named.
    #[schema(example = "ord_0000000000001")]
    pub order_id: Option<String>,
    /// Only these tickets of it, all of one order.
    #[serde(default)]
    pub tickets: Vec<RefundOfTicket>,
    /// Only the tickets of these passengers of the order.
    #[serde(default)]
    pub passenger_ids: Vec<String>,
    /// Of a `supplementary` refund, and only of one: a part of what was kept of exactly one ticket.
    #[schema(example = "95.00")]
    pub amount: Option<String>,
    #[schema(example = "CNY")]
    pub currency: Option<String>,
    /// For the kinds that a person decides: 1 to 500 characters, without personal data.
    pub reason: Option<String>,
    /// Evidence, at least one for `medical`.
    #[serde(default)]
    pub attachment_ids: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundOfTicket {
    /// 13 digits, with or without a hyphen behind the third.
    #[schema(example = "9992100000001")]
    pub number: String,
    /// Numbers of its coupons; none: every coupon that is open.
    #[serde(default)]
    pub coupons: Vec<i64>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRefund {
    /// The `refund_amount` of the quote that is meant.
    #[schema(example = "810.00")]
    pub expected_amount: String,
    #[schema(example = "CNY")]
    pub expected_currency: String,
}

choice! {
    /// What a person decided.
    RefundDecision = ticketing::RefundDecision { Approve, Reject }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRefund {
    pub decision: RefundDecision,
    /// 1 to 500 characters, without personal data.
    pub note: Option<String>,
}

/// What would happen: the application as it would be, approved where a person decides, and what would be booked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefundRehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    pub application: RefundApplication,
    pub postings: Vec<LedgerPosting>,
}

/// A body whose fields are read; what they name is looked up in the commit.
#[derive(Clone, Debug)]
struct Wanted {
    kind: ticketing::RefundKind,
    order: Option<OrderId>,
    tickets: Vec<(TicketNumber, Vec<i64>)>,
    passengers: Vec<PassengerId>,
    amount: Option<Money>,
    reason: Option<String>,
    evidence: Vec<AttachmentId>,
}

const MOST_TICKETS: usize = 9;
const MOST_ATTACHMENTS: usize = 10;
const TEXT: usize = 500;

impl CreateRefundApplication {
    fn validate(&self) -> Result<Wanted, ApiError> {
        let mut input = Input::default();
        let kind = ticketing::RefundKind::from(self.kind);
        let supplementary = kind == ticketing::RefundKind::Supplementary;
        let order = input.optional_id("order_id", self.order_id.as_deref());
        if self.order_id.is_none() && self.tickets.is_empty() {
            input.fail(Code::MissingField, "order_id", "`order_id` or `tickets` says what is to be refunded.");
        }
        if !self.passenger_ids.is_empty() && (self.order_id.is_none() || !self.tickets.is_empty()) {
            input.fail(Code::InvalidValue, "passenger_ids", "`passenger_ids` goes with `order_id`, without `tickets`.");
        }
        if supplementary && self.tickets.len() != 1 {
            input.fail(Code::InvalidValue, "tickets", "A supplementary refund is for exactly one ticket.");
        }
        if self.tickets.len() > MOST_TICKETS || self.attachment_ids.len() > MOST_ATTACHMENTS {
            input.fail(Code::InvalidValue, "tickets", "At most nine tickets and ten attachments.");
        }
        let tickets: Vec<_> = self.tickets.iter().enumerate().filter_map(|(place, one)| one.read(place, &mut input)).collect();
        let passengers = ids(&mut input, "passenger_ids", &self.passenger_ids);
        let evidence = ids(&mut input, "attachment_ids", &self.attachment_ids);
        let amount = input.only_if("amount", self.amount.as_deref(), supplementary);
        let currency = input.only_if("currency", self.currency.as_deref(), supplementary);
        let amount = amount.zip(currency).and_then(|(amount, code)| input.money(("amount", amount), ("currency", code)));
        if amount.is_some_and(|amount| amount.minor <= 0) {
            input.fail(Code::InvalidValue, "amount", "`amount` is more than zero.");
        }
        let reason = self.reason.as_deref().and_then(|text| input.text("reason", text, TEXT));
        let read = order.map(|order| Wanted { kind, order, tickets, passengers, amount, reason, evidence });
        input.finish(read)
    }
}

fn ids<T: Id>(input: &mut Input, field: &str, texts: &[String]) -> Vec<T> {
    texts.iter().enumerate().filter_map(|(place, text)| input.id(&format!("{field}/{place}"), text)).collect()
}

impl RefundOfTicket {
    fn read(&self, place: usize, input: &mut Input) -> Option<(TicketNumber, Vec<i64>)> {
        let number = TicketNumber::parse(&self.number);
        if number.is_none() {
            input.fail(Code::InvalidValue, &format!("tickets/{place}/number"), "`number` is 13 digits.");
        }
        let mut coupons = self.coupons.clone();
        coupons.sort_unstable();
        coupons.dedup();
        Some((number?, coupons))
    }
}

impl Wanted {
    /// Finds what is named among what the caller sees.
    fn find(&self, db: &mut Db, sees: &dyn Fn(AgencyId) -> bool) -> Result<RefundRequest, ApiError> {
        let mut tickets = Vec::with_capacity(self.tickets.len());
        let mut of = self.order;
        for (place, (number, coupons)) in self.tickets.iter().enumerate() {
            let at = format!("/data/tickets/{place}/number");
            let row = ticket_by_number(db, number)?.filter(|row| sees(AgencyId::of(row.agency_id)));
            let row = row.ok_or_else(|| not_found().at(at.clone()))?;
            let order = OrderId::of(row.order_id);
            if *of.get_or_insert(order) != order {
                return Err(ApiError::new(Code::InvalidValue, "All tickets of an application are of one order.").at(at));
            }
            tickets.push(WantedTicket { ticket: row.id, coupons: coupons.clone() });
        }
        let order_id = of.ok_or_else(not_found)?;
        let row = order(db, order_id)?.filter(|row| sees(AgencyId::of(row.agency_id)));
        let row = row.ok_or_else(|| not_found().at("/data/order_id"))?;
        if !self.passengers.is_empty() {
            let issued = issued_orders(db, vec![row])?.pop().ok_or_else(not_found)?;
            tickets = self.tickets_of_passengers(&issued)?;
        }
        Ok(RefundRequest {
            kind: self.kind,
            order: order_id,
            tickets,
            amount: self.amount,
            reason: self.reason.clone(),
            evidence: self.evidence.clone(),
        })
    }

    fn tickets_of_passengers(&self, issued: &IssuedOrder) -> Result<Vec<WantedTicket>, ApiError> {
        let mut tickets = Vec::new();
        for (place, wanted) in self.passengers.iter().enumerate() {
            let passenger = issued.passengers.iter().find(|(row, _)| row.offer_passenger_id == wanted.raw());
            let (passenger, _) = passenger.ok_or_else(|| not_found().at(format!("/data/passenger_ids/{place}")))?;
            let own = issued.tickets.iter().filter(|ticket| ticket.passenger_id == passenger.id);
            tickets.extend(own.map(|ticket| WantedTicket { ticket: ticket.id, coupons: Vec::new() }));
        }
        Ok(tickets)
    }
}

fn sees(visible: Option<&[AgencyId]>, agency: AgencyId) -> bool {
    visible.is_none_or(|own| own.contains(&agency))
}

/// An application that the caller sees.
fn visible_application(db: &mut Db, visible: Option<&[AgencyId]>, id: RefundApplicationId) -> Result<Application, ApiError> {
    let found = refund_application(db, id)?.filter(|found| sees(visible, AgencyId::of(found.row.agency_id)));
    found.ok_or_else(not_found)
}

/// What was booked about an application, in a transaction that is rolled back.
fn rehearsed(tx: &mut WriteTx, application: &Application, now: crate::clock::Timestamp) -> Result<RefundRehearsal, ApiError> {
    let mut postings = Vec::new();
    for ticket in &application.tickets {
        postings.extend(postings_about(tx.db, ticket.id)?);
    }
    postings.retain(|posting| posting.event == Event::TicketRefund.text());
    let application = read_application(tx.db, application, now)?;
    Ok(RefundRehearsal { dry_run: true, application, postings: with_entries(tx.db, postings)? })
}

/// Quotes a refund: what comes back of which ticket, who gives it back, what is kept, and until when that holds. Nothing is reserved.
///
/// `voluntary` follows the ladder of the fare, `tax_only` gives back the taxes that always come back and keeps the fare; both are done when they are
/// confirmed. `involuntary`, `medical` and `supplementary` keep nothing and are decided by a person of the operator. A dry run answers what would be booked.
#[utoipa::path(post, path = "/v1/refund_applications", tag = "Refunds", operation_id = "create_refund_application",
    request_body = Data<CreateRefundApplication>,
    params(("dry_run" = Option<bool>, Query, description = "True answers the quote, the legs and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 201, body = Data<RefundApplication>), (status = 404, description = "`not_found`: no such order, ticket, passenger or attachment", body = ErrorBody),
        (status = 422, description = "`coupon_not_refundable`, `ticket_voided`, `nothing_to_refund`, `no_refund_rule`, `more_than_paid`, \
            `missing_field`, `invalid_value`", body = ErrorBody)))]
pub async fn create_refund_application(
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body<CreateRefundApplication>,
) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirWrite, Scope::FinanceWrite])?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let wanted = body.data.validate()?;
    let visible = caller.visible_agencies().await?;
    let (cause, catalogue) = (caller.cause(), caller.app.catalogue.clone());
    let owner = (!caller.is_operator()).then_some(caller.key.organisation);
    let quote = move |tx: &mut WriteTx| {
        let request = wanted.find(tx.db, &|agency| sees(visible.as_deref(), agency))?;
        super::attachments::check_owned(tx.db, owner, &request.evidence)?;
        Ok::<_, ApiError>(quote_refund(tx, &catalogue, &cause, &request)?)
    };
    if !dry_run {
        return once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
            let quoted = quote(tx)?;
            read_application(tx.db, &quoted, tx.now)
        })
        .await;
    }
    let (app, cause) = (caller.app.clone(), caller.cause());
    let rehearsal = blocking(move || {
        app.store.rehearse(|tx| {
            let quoted = quote(tx)?;
            let id = RefundApplicationId::of(quoted.row.id);
            let currency = Currency::parse(&quoted.row.currency).map_err(ApiError::internal)?;
            let refund = Money::new(quoted.row.refund_minor, currency);
            let mut done = confirm_refund(tx, &app.catalogue.calendar, &cause, id, refund)?;
            if done.row.kind()?.needs_decision() {
                done = decide_refund(tx, &cause, id, &ticketing::RefundDecision::Approve, None)?;
            }
            rehearsed(tx, &done, tx.now)
        })
    })
    .await?;
    Ok(ok(rehearsal))
}

/// Confirms a quote at the amount that it named. What no person has to decide is refunded in this commit: the money, the coupons and the seats; the rest is
/// submitted. Either way the clock of seven working days begins, `due_at` is its end. Confirmed again, it answers the application as it is.
#[utoipa::path(post, path = "/v1/refund_applications/{id}/actions/confirm", tag = "Refunds", operation_id = "confirm_refund_application",
    request_body = Data<ConfirmRefund>, params(("id" = String, Path, description = "`rfa_…`"),
        ("dry_run" = Option<bool>, Query, description = "True answers the decision and the ledger entries, and does nothing"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 200, body = Data<RefundApplication>), (status = 404, body = ErrorBody),
        (status = 409, description = "`invalid_state`", body = ErrorBody),
        (status = 422, description = "`refund_quote_expired`, `refund_amount_differs`, `coupon_not_refundable`, `ticket_voided`, \
            `more_than_paid`", body = ErrorBody)))]
pub async fn confirm(
    caller: Caller,
    request: HttpRequest,
    query: Query,
    id: web::Path<String>,
    body: Body<ConfirmRefund>,
) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirWrite, Scope::FinanceWrite])?;
    let id: RefundApplicationId = path_id(&id)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let mut input = Input::default();
    let expected =
        input.money(("expected_amount", &body.data.expected_amount), ("expected_currency", &body.data.expected_currency));
    let expected = input.finish(expected)?;
    let visible = caller.visible_agencies().await?;
    let (cause, catalogue) = (caller.cause(), caller.app.catalogue.clone());
    act(&caller, &request, dry_run, &body.bytes, move |tx| {
        visible_application(tx.db, visible.as_deref(), id)?;
        Ok(confirm_refund(tx, &catalogue.calendar, &cause, id, expected)?)
    })
    .await
}

/// A person of the operator approves or rejects a submitted application. Approved, it is refunded in this commit. The operator only.
#[utoipa::path(post, path = "/v1/refund_applications/{id}/actions/decide", tag = "Refunds", operation_id = "decide_refund_application",
    request_body = Data<DecideRefund>, params(("id" = String, Path, description = "`rfa_…`"),
        ("dry_run" = Option<bool>, Query, description = "True answers the decision and the ledger entries, and does nothing"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 200, body = Data<RefundApplication>), (status = 404, body = ErrorBody),
        (status = 409, description = "`invalid_state`", body = ErrorBody),
        (status = 422, description = "`coupon_not_refundable`, `more_than_paid`", body = ErrorBody)))]
pub async fn decide(
    caller: Caller,
    request: HttpRequest,
    query: Query,
    id: web::Path<String>,
    body: Body<DecideRefund>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: RefundApplicationId = path_id(&id)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let mut input = Input::default();
    let note = body.data.note.as_deref().and_then(|text| input.text("note", text, TEXT));
    input.finish(Some(()))?;
    let (cause, decision) = (caller.cause(), body.data.decision.into());
    act(&caller, &request, dry_run, &body.bytes, move |tx| Ok(decide_refund(tx, &cause, id, &decision, note.as_deref())?)).await
}

/// Does it once per key, or shows what it would do.
async fn act(
    caller: &Caller,
    request: &HttpRequest,
    dry_run: bool,
    body: &[u8],
    change: impl FnOnce(&mut WriteTx) -> Result<Application, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    if !dry_run {
        return once(caller, request, Key::Required, body, StatusCode::OK, move |tx| {
            let changed = change(tx)?;
            read_application(tx.db, &changed, tx.now)
        })
        .await;
    }
    let app = caller.app.clone();
    let rehearsal = blocking(move || {
        app.store.rehearse(|tx| {
            let changed = change(tx)?;
            rehearsed(tx, &changed, tx.now)
        })
    })
    .await?;
    Ok(ok(rehearsal))
}

/// Applications and quotes, newest first: an agency's own, for the operator all.
#[utoipa::path(get, path = "/v1/refund_applications", tag = "Refunds", operation_id = "list_refund_applications",
    params(PageParams, ("order_id" = Option<String>, Query, description = "Only of this order"),
        ("status" = Option<String>, Query, description = "Only with this status"),
        ("overdue" = Option<bool>, Query, description = "True: only those that were due before now and are neither refunded nor rejected")),
    responses((status = 200, body = Page<RefundApplication>)))]
pub async fn list_refund_applications(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirRead, Scope::FinanceRead])?;
    let request = PageRequest::<i64>::read(&query, "/v1/refund_applications")?;
    let (window, limit, now) = (request.window(), request.fetch(), caller.app.now());
    let status = query.get("status").map(|text| {
        let unknown =
            || ApiError::new(Code::InvalidValue, "`status` is one of those that an application has.").parameter("status");
        ticketing::RefundStatus::parse(text).ok_or_else(unknown)
    });
    let filter = ApplicationFilter {
        agencies: Sight::of(&caller).await?.agencies,
        order: query.id("order_id")?,
        status: status.transpose()?,
        overdue_at: query.flag("overdue")?.unwrap_or(false).then_some(now),
    };
    let found = caller
        .read(move |db| {
            let found = refund_applications(db, &filter, window, limit)?;
            let shown = found.iter().map(|one| Ok((one.row.id, read_application(db, one, now)?)));
            shown.collect::<Result<Vec<_>, ApiError>>()
        })
        .await?;
    Ok(page(&request.page(found, |(id, _)| *id).map(|(_, shown)| shown)))
}

/// One application or quote.
#[utoipa::path(get, path = "/v1/refund_applications/{id}", tag = "Refunds", operation_id = "get_refund_application",
    params(("id" = String, Path, description = "`rfa_…`")),
    responses((status = 200, body = Data<RefundApplication>), (status = 404, body = ErrorBody)))]
pub async fn get_refund_application(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirRead, Scope::FinanceRead])?;
    let id: RefundApplicationId = path_id(&id)?;
    let (visible, now) = (Sight::of(&caller).await?.agencies, caller.app.now());
    let found = caller
        .read(move |db| {
            let found = visible_application(db, visible.as_deref(), id)?;
            read_application(db, &found, now)
        })
        .await?;
    Ok(ok(found))
}
