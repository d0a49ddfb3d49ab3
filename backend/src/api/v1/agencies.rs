//! `/v1/agencies`: who sells, and whether it may.

use super::commission_rules::TIER;
use super::input::Input;
use super::keys::NoDetails;
use super::shape::{PageParams, choice, time};
use super::sight::visible_agency;
use crate::agencies::{self, HoldLimit, NewAgency, Tier, agencies as agencies_of, open_agency, set_status};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::{Db, WriteTx};
use crate::identity::{OrganisationKind, Scope, organisation};
use crate::ids::{AgencyId, Id, OrganisationId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// A frozen or closed agency sells nothing; a closed one stays closed. Kill switches freeze.
    AgencyStatus = agencies::AgencyStatus { Active, Frozen, Closed }
}
choice! {
    /// What pays for an order whose payment says `balance`.
    TenderOrder = agencies::TenderOrder { CreditThenWallet, WalletOnly }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Agency {
    #[schema(example = "agy_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    /// Eight digits, the eighth a check digit.
    #[schema(example = "08300005")]
    pub numeric_code: String,
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// IANA zone of the point of sale: it decides a ticket's date of issue and its cycle.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    pub status: AgencyStatus,
    /// What of its doings kill switches have stopped: `api`, `issue`, `refund`, `withdrawal`. One that may not issue is shown as frozen.
    pub frozen_scopes: Vec<String>,
    pub tender_order: TenderOrder,
    /// The class of its terms: commission rules and incentives match on it.
    #[schema(example = "standard")]
    pub tier: String,
    /// How many orders it may hold at a time without having paid them.
    #[schema(example = 50)]
    pub max_unpaid_holds: i64,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<agencies::Agency> for Agency {
    fn from(agency: agencies::Agency) -> Self {
        Agency {
            id: agency.id.to_string(),
            organisation_id: agency.organisation.to_string(),
            numeric_code: agency.numeric_code,
            name: agency.name,
            country: agency.country,
            time_zone: agency.zone.name().to_owned(),
            currency: agency.currency.to_string(),
            status: agency.status.into(),
            frozen_scopes: agency.frozen.iter().map(|scope| scope.text().to_owned()).collect(),
            tender_order: agency.tender_order.into(),
            tier: agency.tier.to_string(),
            max_unpaid_holds: agency.max_unpaid_holds.orders(),
            created_at: time(agency.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAgency {
    /// An organisation of kind `agency`.
    pub organisation_id: String,
    /// Eight digits, the eighth is the first seven modulo 7.
    pub numeric_code: String,
    /// 1 to 100 characters.
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// IANA zone.
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
    /// ISO 4217; the only one in which it sells.
    #[schema(example = "CNY")]
    pub currency: String,
    /// `credit_then_wallet` if not given.
    pub tender_order: Option<TenderOrder>,
    /// `standard` if not given.
    pub tier: Option<String>,
}

fn tier(input: &mut Input, text: &str) -> Option<Tier> {
    let tier = Tier::parse(text);
    if tier.is_none() {
        input.fail(Code::InvalidValue, "tier", TIER);
    }
    tier
}

impl CreateAgency {
    fn validate(&self) -> Result<(NewAgency, Tier), ApiError> {
        let mut input = Input::default();
        let organisation = input.id("organisation_id", &self.organisation_id);
        let (name, country) = (input.text("name", &self.name, 100), input.country("country", &self.country));
        let currency = input.currency("currency", &self.currency);
        let zone: Option<Tz> = self.time_zone.parse().ok();
        if zone.is_none() {
            input.fail(Code::InvalidValue, "time_zone", "`time_zone` is an IANA zone such as \"Asia/Shanghai\".");
        }
        if !agencies::numeric_code_is_valid(&self.numeric_code) {
            let message = "`numeric_code` is eight digits, the eighth is the first seven modulo 7.";
            input.fail(Code::InvalidValue, "numeric_code", message);
        }
        let tier = self.tier.as_deref().map_or_else(|| Some(Tier::standard()), |text| tier(&mut input, text));
        let numeric_code = self.numeric_code.clone();
        let tender_order = self.tender_order.unwrap_or(TenderOrder::CreditThenWallet).into();
        let read = (|| {
            let (organisation, zone, currency) = (organisation?, zone?, currency?);
            let (name, country) = (name?, country?);
            Some((NewAgency { organisation, numeric_code, name, country, zone, currency, tender_order }, tier?))
        })();
        input.finish(read)
    }
}

/// An organisation of the kind that the new thing needs.
pub(super) fn require_kind(db: &mut Db, id: OrganisationId, kind: OrganisationKind) -> Result<(), ApiError> {
    if organisation(db, id)?.is_some_and(|known| known.kind == kind) {
        return Ok(());
    }
    let message = format!("There is no such organisation of kind {}.", kind.text());
    Err(ApiError::new(Code::InvalidValue, message).at("/data/organisation_id"))
}

/// Agencies, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/agencies", tag = "Settlement", operation_id = "list_agencies",
    params(PageParams, ("organisation_id" = Option<String>, Query, description = "Only this organisation's")),
    responses((status = 200, body = Page<Agency>)))]
pub async fn list_agencies(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/agencies")?;
    let (window, limit) = (request.window(), request.fetch());
    let asked: Option<OrganisationId> = query.id("organisation_id")?;
    let own = caller.key.organisation;
    let (owner, bound) = if caller.is_operator() { (asked, None) } else { (Some(own), caller.key.agency) };
    let found = caller.read(move |db| agencies_of(db, owner, window, limit)).await?;
    let mut found = request.page(found, |agency| agency.id.raw());
    found
        .data
        .retain(|agency| bound.is_none_or(|bound| agency.id == bound) && asked.is_none_or(|asked| agency.organisation == asked));
    Ok(page(&found.map(Agency::from)))
}

/// Opens an agency. The operator only.
#[utoipa::path(post, path = "/v1/agencies", tag = "Settlement", operation_id = "create_agency", request_body = Data<CreateAgency>,
    responses((status = 201, body = Data<Agency>),
        (status = 422, description = "`invalid_value`: a code that is not one or is taken; `unknown_currency`", body = ErrorBody)))]
pub async fn create_agency(caller: Caller, request: HttpRequest, body: Body<CreateAgency>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let (new, tier) = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        require_kind(tx.db, new.organisation, OrganisationKind::Agency)?;
        let opened = open_agency(tx, new)?;
        let opened = if opened.tier == tier { opened } else { agencies::set_tier(tx, opened.id, tier)? };
        audit::record(tx, &cause, "agency.open", opened.id)?;
        Ok(Agency::from(opened))
    })
    .await
}

/// One agency.
#[utoipa::path(get, path = "/v1/agencies/{id}", tag = "Settlement", operation_id = "get_agency",
    params(("id" = String, Path, description = "`agy_…`")), responses((status = 200, body = Data<Agency>)))]
pub async fn get_agency(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: AgencyId = path_id(&id)?;
    let reader = caller.clone();
    Ok(ok(Agency::from(caller.read(move |db| visible_agency(&reader, db, id)).await?)))
}

/// Changes an agency, once per key, and notes who did it.
async fn change_agency<E>(
    caller: &Caller,
    request: &HttpRequest,
    (id, body): (AgencyId, &[u8]),
    action: &'static str,
    change: impl FnOnce(&mut WriteTx) -> Result<agencies::Agency, E> + Send + 'static,
) -> Result<HttpResponse, ApiError>
where
    ApiError: From<E>,
{
    let cause = caller.cause();
    once(caller, request, Key::Accepted, body, StatusCode::OK, move |tx| {
        let changed = change(tx)?;
        audit::record(tx, &cause, action, id)?;
        Ok(Agency::from(changed))
    })
    .await
}

/// Closes an agency for good. What it owes stays owed.
#[utoipa::path(post, path = "/v1/agencies/{id}/actions/close", tag = "Settlement", operation_id = "close_agency",
    params(("id" = String, Path, description = "`agy_…`")), request_body = Data<NoDetails>, responses((status = 200, body = Data<Agency>)))]
pub async fn close(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AgencyId = path_id(&id)?;
    let to = agencies::AgencyStatus::Closed;
    change_agency(&caller, &request, (id, &body.bytes), "agency.close", move |tx| set_status(tx, id, to)).await
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTier {
    /// 1 to 20 lower-case letters, digits and underscores.
    pub tier: String,
}

/// Puts an agency into another tier: commission rules of the tier hold for its sales from then on. What was sold keeps its terms.
#[utoipa::path(post, path = "/v1/agencies/{id}/actions/set_tier", tag = "Settlement", operation_id = "set_agency_tier",
    params(("id" = String, Path, description = "`agy_…`")), request_body = Data<SetTier>,
    responses((status = 200, body = Data<Agency>), (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn set_tier(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetTier>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AgencyId = path_id(&id)?;
    let mut input = Input::default();
    let read = tier(&mut input, &body.data.tier);
    let tier = input.finish(read)?;
    change_agency(&caller, &request, (id, &body.bytes), "agency.set_tier", move |tx| agencies::set_tier(tx, id, tier)).await
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHoldLimit {
    /// 0 to 10000; 0: it holds nothing.
    #[schema(example = 50)]
    pub max_unpaid_holds: i64,
}

/// Sets how many orders an agency may hold at a time without having paid them. What it holds already stays held.
#[utoipa::path(post, path = "/v1/agencies/{id}/actions/set_hold_limit", tag = "Settlement", operation_id = "set_agency_hold_limit",
    params(("id" = String, Path, description = "`agy_…`")), request_body = Data<SetHoldLimit>,
    responses((status = 200, body = Data<Agency>), (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn set_hold_limit(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetHoldLimit>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AgencyId = path_id(&id)?;
    let mut input = Input::default();
    let limit = HoldLimit::of(body.data.max_unpaid_holds);
    if limit.is_none() {
        input.fail(Code::InvalidValue, "max_unpaid_holds", "`max_unpaid_holds` is a whole number from 0 to 10000.");
    }
    let limit = input.finish(limit)?;
    change_agency(&caller, &request, (id, &body.bytes), "agency.set_hold_limit", move |tx| {
        agencies::set_hold_limit(tx, id, limit)
    })
    .await
}
