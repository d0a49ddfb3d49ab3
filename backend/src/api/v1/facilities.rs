//! `/v1/facilities`: the bank lines that pay airlines.

use super::approvals::{of_the_change, wrong};
use super::input::Input;
use super::keys::NoDetails;
use super::shape::{PageParams, time};
use super::sight::visible_facility;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, Cause};
use crate::clock::Timestamp;
use crate::credit::{
    self, Availability, Base, FacilityState, NewFacility, close_facility_by_hand, facilities_of, facility, gate, lock_facility,
    lower_facility_limit, open_facility, reopen_facility, set_availability, set_facility_limit, set_sublimit,
};
use crate::db::WriteTx;
use crate::identity::Scope;
use crate::ids::{ApprovalId, FacilityId, Id};
use crate::money::{Currency, Money};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A bank line with its state. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Facility {
    #[schema(example = "fac_0000000000001")]
    pub id: String,
    /// The bank.
    pub organisation_id: String,
    pub name: String,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "1000000.00")]
    pub limit_amount: String,
    /// Principal drawn: advances that the bank has confirmed.
    pub drawn_amount: String,
    /// Advances that are on their way; they count in the limit.
    pub held_amount: String,
    /// Limit - drawn - held, or zero.
    pub headroom_amount: String,
    /// What a lowered limit is exceeded by, or zero.
    pub over_limit_amount: String,
    /// The account at the bank that payments are drawn from.
    pub debit_account: String,
    /// A factor per year, today; null where the line follows a published rate and there is none.
    #[schema(example = "0.045")]
    pub base_rate: Option<String>,
    /// The published rate that the line follows; null where its base is fixed.
    #[schema(example = "LPR-1D")]
    pub base_rate_name: Option<String>,
    pub margin_rate: String,
    /// A factor per year, of what is not drawn.
    pub commitment_rate: String,
    /// The days on which it takes new holds, both included; what is drawn stays.
    pub available_from: Option<String>,
    pub available_until: Option<String>,
    /// Parts of the limit for single airlines.
    pub sublimits: Vec<Sublimit>,
    #[schema(example = "ACT/360")]
    pub day_count: String,
    /// Whether it takes new holds now. It fails closed; wallet sales go on.
    pub gate: FacilityGate,
    /// When the ticket of the oldest advance was sold that is not confirmed. RFC 3339, UTC.
    pub oldest_unresolved_at: Option<String>,
    /// Advances in flight.
    pub unconfirmed: i64,
    pub max_unconfirmed: i64,
    pub max_unresolved_secs: i64,
    pub created_at: String,
}

/// How much of a line one airline may take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sublimit {
    pub airline_id: String,
    #[schema(example = "100000.00")]
    pub limit_amount: String,
    /// Held and drawn. Repayments pay for the oldest draws first.
    pub used_amount: String,
}

impl From<&credit::Sublimit> for Sublimit {
    fn from(part: &credit::Sublimit) -> Self {
        Sublimit {
            airline_id: part.airline.to_string(),
            limit_amount: part.limit.to_string(),
            used_amount: part.used.to_string(),
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacilityGate {
    pub open: bool,
    /// Why it is closed.
    pub reason: Option<String>,
}

impl Facility {
    fn of(state: FacilityState, now: Timestamp) -> Result<Self, ApiError> {
        let room = state.room().map_err(ApiError::internal)?;
        let closed = gate(&state, 0, now).err();
        let facility = state.facility;
        Ok(Facility {
            id: facility.id.to_string(),
            organisation_id: facility.bank.to_string(),
            name: facility.name,
            currency: facility.limit.currency.to_string(),
            limit_amount: facility.limit.to_string(),
            drawn_amount: state.drawn.to_string(),
            held_amount: state.held.to_string(),
            headroom_amount: room.available.to_string(),
            over_limit_amount: room.over.to_string(),
            debit_account: facility.debit_account,
            base_rate: facility.base_rate.map(|rate| rate.to_string()),
            base_rate_name: match facility.base {
                Base::Fixed(_) => None,
                Base::Published(name) => Some(name),
            },
            margin_rate: facility.margin_rate.to_string(),
            commitment_rate: facility.commitment_rate.to_string(),
            available_from: facility.available.from.map(|day| day.to_string()),
            available_until: facility.available.until.map(|day| day.to_string()),
            sublimits: facility.sublimits.iter().map(Sublimit::from).collect(),
            day_count: facility.day_count,
            gate: FacilityGate { open: closed.is_none(), reason: closed.map(|closed| closed.reason().to_owned()) },
            oldest_unresolved_at: state.oldest_unresolved.map(|at| at.to_string()),
            unconfirmed: facility.unconfirmed,
            max_unconfirmed: facility.max_unconfirmed,
            max_unresolved_secs: facility.max_unresolved.num_seconds(),
            created_at: time(facility.created_at),
        })
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenFacility {
    /// An organisation of kind `bank`.
    pub organisation_id: String,
    /// 1 to 100 characters.
    pub name: String,
    /// Decimal string, not negative.
    #[schema(example = "1000000.00")]
    pub limit_amount: String,
    /// ISO 4217: the line's currency.
    #[schema(example = "CNY")]
    pub limit_currency: String,
    /// 1 to 64 characters.
    pub debit_account: String,
    /// A factor per year from 0 to 1 as text; or `base_rate_name`.
    #[schema(example = "0.045")]
    pub base_rate: Option<String>,
    /// A published rate of the line's currency (`/v1/base_rates`) that the base follows, in place of `base_rate`.
    pub base_rate_name: Option<String>,
    /// A factor per year from 0 to 1 as text.
    #[schema(example = "0.015")]
    pub margin_rate: String,
    /// A factor per year of what is not drawn, from 0 to 1 as text; none if not given.
    #[schema(example = "0.002")]
    pub commitment_rate: Option<String>,
    /// The first and the last day on which it takes new holds; without bounds if not given.
    pub available_from: Option<String>,
    pub available_until: Option<String>,
    /// `ACT/360` or `ACT/365F`.
    #[schema(example = "ACT/360")]
    pub day_count: String,
    /// Advances in flight at most: 1 to 1,000,000; 1,000 if not given.
    pub max_unconfirmed: Option<i64>,
    /// The age in seconds of an unresolved advance that closes the line: 1 to 86,400; 30 if not given.
    pub max_unresolved_secs: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFacilityLimit {
    /// Decimal string, not negative; below what is drawn it only stops new holds.
    #[schema(example = "2000000.00")]
    pub limit_amount: String,
    /// The line's currency.
    #[schema(example = "CNY")]
    pub limit_currency: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseFacility {
    /// Shown to whoever is refused a sale: 1 to 200 characters.
    pub reason: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAvailability {
    /// The first day on which it takes new holds; without a beginning if left out.
    pub available_from: Option<String>,
    /// The last one; without an end if left out.
    pub available_until: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSublimit {
    pub airline_id: String,
    /// Decimal string, not negative; below what is used it only stops new holds.
    #[schema(example = "100000.00")]
    pub limit_amount: String,
    /// The line's currency.
    #[schema(example = "CNY")]
    pub limit_currency: String,
}

fn not_good<T>(input: &mut Input, code: Code, field: &str, message: &str) -> Option<T> {
    input.fail(code, field, message);
    None
}

fn availability(input: &mut Input, from: Option<&str>, until: Option<&str>) -> Option<Availability> {
    let mut day = |field: &str, text: Option<&str>| match text {
        Some(text) => input.date(field, text).map(Some),
        None => Some(None),
    };
    let (from, until) = (day("available_from", from), day("available_until", until));
    Some(Availability { from: from?, until: until? })
}

impl OpenFacility {
    fn base(&self, input: &mut Input) -> Option<Base> {
        match (&self.base_rate, &self.base_rate_name) {
            (Some(rate), None) => input.rate("base_rate", rate).map(Base::Fixed),
            (None, Some(name)) => input.text("base_rate_name", name, 64).map(Base::Published),
            (Some(_), Some(_)) => {
                not_good(input, Code::InvalidValue, "base_rate_name", "A base is fixed or follows a published rate, not both.")
            }
            (None, None) => {
                not_good(input, Code::MissingField, "base_rate", "`base_rate` is missing, or `base_rate_name` in its place.")
            }
        }
    }

    fn validate(&self) -> Result<NewFacility, ApiError> {
        let mut input = Input::default();
        let bank = input.id("organisation_id", &self.organisation_id);
        let name = input.text("name", &self.name, 100);
        let limit = input.money(("limit_amount", &self.limit_amount), ("limit_currency", &self.limit_currency));
        let debit_account = input.text("debit_account", &self.debit_account, 64);
        let base = self.base(&mut input);
        let commitment_rate = input.rate("commitment_rate", self.commitment_rate.as_deref().unwrap_or("0"));
        let available = availability(&mut input, self.available_from.as_deref(), self.available_until.as_deref());
        let margin_rate = input.rate("margin_rate", &self.margin_rate);
        let max_unconfirmed = input.whole("max_unconfirmed", self.max_unconfirmed.unwrap_or(1_000), 1..=1_000_000);
        let max_unresolved_secs = input.whole("max_unresolved_secs", self.max_unresolved_secs.unwrap_or(30), 1..=86_400);
        let read = (|| {
            Some(NewFacility {
                bank: bank?,
                name: name?,
                limit: limit?,
                debit_account: debit_account?,
                base: base?,
                commitment_rate: commitment_rate?,
                available: available?,
                margin_rate: margin_rate?,
                day_count: self.day_count.clone(),
                max_unconfirmed: max_unconfirmed?,
                max_unresolved_secs: max_unresolved_secs?,
            })
        })();
        input.finish(read)
    }
}

/// As it stands in this commit.
fn shown(tx: &mut WriteTx, id: FacilityId) -> Result<Facility, ApiError> {
    let state = facility(tx.db, id, tx.ledger_date)?.ok_or_else(|| ApiError::of(Code::NotFound))?;
    Facility::of(state, tx.now)
}

/// Bank lines, newest first. The operator sees all, a bank its own.
#[utoipa::path(get, path = "/v1/facilities", tag = "Settlement", operation_id = "list_facilities",
    params(PageParams), responses((status = 200, body = Page<Facility>)))]
pub async fn list_facilities(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/facilities")?;
    let (window, limit, now) = (request.window(), request.fetch(), caller.app.now());
    let bank = (!caller.is_operator()).then_some(caller.key.organisation);
    let today = caller.app.today();
    let found = caller.read(move |db| facilities_of(db, bank, today, window, limit)).await?;
    let found = request.page(found, |state| state.facility.id.raw());
    Ok(page(&found.try_map(|state| Facility::of(state, now))?))
}

/// Opens a bank line. The operator only.
#[utoipa::path(post, path = "/v1/facilities", tag = "Settlement", operation_id = "open_facility", request_body = Data<OpenFacility>,
    responses((status = 201, body = Data<Facility>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`", body = ErrorBody)))]
pub async fn create_facility(caller: Caller, request: HttpRequest, body: Body<OpenFacility>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let opened = open_facility(tx, new)?;
        audit::record(tx, &cause, "facility.open", opened.id)?;
        shown(tx, opened.id)
    })
    .await
}

/// One bank line: limit, drawn, held, headroom, and whether it takes new advances.
#[utoipa::path(get, path = "/v1/facilities/{id}", tag = "Settlement", operation_id = "get_facility",
    params(("id" = String, Path, description = "`fac_…`")), responses((status = 200, body = Data<Facility>)))]
pub async fn get_facility(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: FacilityId = path_id(&id)?;
    let reader = caller.clone();
    let found = caller.read(move |db| visible_facility(&reader, db, id)).await?;
    Ok(ok(Facility::of(found, caller.app.now())?))
}

/// Changes a bank line, once per key, and notes who did it.
async fn change_line<T, E>(
    caller: &Caller,
    request: &HttpRequest,
    (id, body): (FacilityId, &[u8]),
    action: &'static str,
    change: impl FnOnce(&mut WriteTx) -> Result<T, E> + Send + 'static,
) -> Result<HttpResponse, ApiError>
where
    ApiError: From<E>,
{
    let cause = caller.cause();
    once(caller, request, Key::Accepted, body, StatusCode::OK, move |tx| {
        change(tx)?;
        audit::record(tx, &cause, action, id)?;
        shown(tx, id)
    })
    .await
}

/// What two people agree on: a higher limit. A lower one is set by one person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaiseFacilityLimit {
    facility_id: String,
    limit_amount: String,
    limit_currency: String,
}

impl RaiseFacilityLimit {
    /// Under the line's lock.
    fn read(&self, tx: &mut WriteTx) -> Result<(credit::Facility, Money), ApiError> {
        let currency = Currency::parse(&self.limit_currency).map_err(|error| wrong("limit_currency", error))?;
        let limit = Money::parse(&self.limit_amount, currency).map_err(|error| wrong("limit_amount", error))?;
        let id = FacilityId::parse(&self.facility_id).map_err(|error| wrong("facility_id", error))?;
        let line = lock_facility(tx, id).map_err(|error| of_the_change(error.into()))?;
        if limit.currency != line.limit.currency {
            return Err(ApiError::of(Code::CurrencyMismatch).at("/data/change/limit_currency"));
        }
        if limit.minor <= line.limit.minor {
            let message = format!("the limit is {} {currency} already; one person sets a lower one", line.limit);
            return Err(wrong("limit_amount", message));
        }
        Ok((line, limit))
    }
}

impl Proposal for RaiseFacilityLimit {
    const KIND: ChangeKind = ChangeKind::SetFacilityLimit;
    type Error = ApiError;

    fn subject(&self) -> String {
        self.facility_id.clone()
    }

    /// The limit that is raised.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, ApiError> {
        Ok(self.read(tx)?.0.limit.to_string())
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, _: ApprovalId) -> Result<String, ApiError> {
        let (line, limit) = self.read(tx)?;
        set_facility_limit(tx, line.id, limit)?;
        audit::record(tx, cause, "facility.set_limit", line.id)?;
        Ok(line.id.to_string())
    }
}

/// Lowers a bank line's limit; a higher one is agreed to by two people (`/v1/approvals`, kind `set_facility_limit`). A limit below what is drawn and held only
/// stops new holds. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/actions/set_limit", tag = "Settlement", operation_id = "set_facility_limit",
    params(("id" = String, Path, description = "`fac_…`")), request_body = Data<SetFacilityLimit>,
    responses((status = 200, body = Data<Facility>),
        (status = 409, description = "`approval_required`: higher than the present one", body = ErrorBody),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`, `currency_mismatch`", body = ErrorBody)))]
pub async fn set_limit(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetFacilityLimit>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let mut input = Input::default();
    let data = &body.data;
    let limit = input.money(("limit_amount", &data.limit_amount), ("limit_currency", &data.limit_currency));
    let limit = input.finish(limit)?;
    change_line(&caller, &request, (id, &body.bytes), "facility.set_limit", move |tx| lower_facility_limit(tx, id, limit)).await
}

/// Sets the days on which a bank line takes new holds; what is drawn or on its way goes on. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/actions/set_availability", tag = "Settlement", operation_id = "set_facility_availability",
    params(("id" = String, Path, description = "`fac_…`")), request_body = Data<SetAvailability>,
    responses((status = 200, body = Data<Facility>),
        (status = 422, description = "`invalid_value`: a date, or the end before the beginning", body = ErrorBody)))]
pub async fn set_days(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetAvailability>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let mut input = Input::default();
    let available = availability(&mut input, body.data.available_from.as_deref(), body.data.available_until.as_deref());
    let available = input.finish(available)?;
    change_line(&caller, &request, (id, &body.bytes), "facility.set_availability", move |tx| set_availability(tx, id, available))
        .await
}

/// Sets how much of a bank line one airline may take. A sub-limit below what is used only stops new holds. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/actions/set_sublimit", tag = "Settlement", operation_id = "set_facility_sublimit",
    params(("id" = String, Path, description = "`fac_…`")), request_body = Data<SetSublimit>,
    responses((status = 200, body = Data<Facility>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`, `currency_mismatch`", body = ErrorBody)))]
pub async fn set_part(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetSublimit>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let mut input = Input::default();
    let data = &body.data;
    let airline = input.id("airline_id", &data.airline_id);
    let limit = input.money(("limit_amount", &data.limit_amount), ("limit_currency", &data.limit_currency));
    let (airline, limit) = input.finish(airline.zip(limit))?;
    change_line(&caller, &request, (id, &body.bytes), "facility.set_sublimit", move |tx| set_sublimit(tx, id, airline, limit))
        .await
}

/// Closes a bank line for new advances until somebody reopens it; those on their way go on. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/actions/close", tag = "Settlement", operation_id = "close_facility",
    params(("id" = String, Path, description = "`fac_…`")), request_body = Data<CloseFacility>, responses((status = 200, body = Data<Facility>)))]
pub async fn close(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<CloseFacility>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let mut input = Input::default();
    let reason = input.text("reason", &body.data.reason, 200);
    let reason = input.finish(reason)?;
    change_line(&caller, &request, (id, &body.bytes), "facility.close", move |tx| close_facility_by_hand(tx, id, &reason)).await
}

/// Opens a closed bank line again: the bank has to answer a probe first, and none of the line's advances may be in doubt. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/actions/reopen", tag = "Settlement", operation_id = "reopen_facility",
    params(("id" = String, Path, description = "`fac_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<Facility>),
        (status = 409, description = "`invalid_state`: an advance is unresolved; `kill_switch_on`", body = ErrorBody),
        (status = 503, description = "`bank_unavailable`: the bank does not answer; `database_unavailable`", body = ErrorBody)))]
pub async fn reopen(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let reader = caller.clone();
    caller.read(move |db| visible_facility(&reader, db, id)).await?;
    // Nothing leaves the process from inside a transaction: the probe comes before it.
    if !caller.app.bank_answers().await {
        return Err(ApiError::of(Code::BankUnavailable).retry_after(5));
    }
    change_line(&caller, &request, (id, &body.bytes), "facility.reopen", move |tx| reopen_facility(tx, id)).await
}
