//! `/v1/billing_contacts` and `/v1/dunning_messages`: whom agencies want to be written to about money, and what they were written.

use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::narrowed;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::identity::Scope;
use crate::ids::{AgencyId, BillingContactId, DunningMessageId, Id, ObligationId};
use crate::notify::is_address;
use crate::settlement::{ContactRow, DunningRow, Language, billing_contacts, dunning_messages, set_billing_contact};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BillingContact {
    pub agency_id: String,
    #[schema(example = "finance@agency.example")]
    pub email: String,
    /// `zh-CN` or `en`.
    #[schema(example = "zh-CN")]
    pub language: String,
    /// Since when it is this one.
    pub created_at: String,
}

impl From<ContactRow> for BillingContact {
    fn from(row: ContactRow) -> Self {
        let agency_id = AgencyId::of(row.agency_id).to_string();
        BillingContact { agency_id, email: row.email, language: row.language, created_at: time(row.created_at) }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetBillingContact {
    pub agency_id: String,
    pub email: String,
    /// `zh-CN` or `en`.
    pub language: String,
}

/// Contacts, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/billing_contacts", tag = "Settlement", operation_id = "list_billing_contacts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<BillingContact>)))]
pub async fn list_contacts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/billing_contacts")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| billing_contacts(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(BillingContact::from)))
}

/// Says whom an agency wants to be written to; it takes the place of the one before. The operator only.
#[utoipa::path(post, path = "/v1/billing_contacts", tag = "Settlement", operation_id = "set_billing_contact", request_body = Data<SetBillingContact>,
    responses((status = 201, body = Data<BillingContact>), (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn set_contact(caller: Caller, request: HttpRequest, body: Body<SetBillingContact>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let mut input = Input::default();
    let agency: Option<AgencyId> = input.id("agency_id", &body.data.agency_id);
    let email = input.text("email", &body.data.email, 254).filter(|text| is_address(text));
    if email.is_none() {
        input.fail(Code::InvalidValue, "email", "`email` is an e-mail address.");
    }
    let language = Language::parse(&body.data.language);
    if language.is_none() {
        input.fail(Code::InvalidValue, "language", "`language` is \"zh-CN\" or \"en\".");
    }
    let read = (|| Some((agency?, email?, language?)))();
    let (agency, email, language) = input.finish(read)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let set = set_billing_contact(tx, agency, &email, language)?;
        let set = set.ok_or_else(|| ApiError::new(Code::InvalidValue, "There is no such agency.").at("/data/agency_id"))?;
        audit::record(tx, &cause, "billing_contact.set", BillingContactId::of(set.id))?;
        Ok(BillingContact::from(set))
    })
    .await
}

/// One message about one obligation, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DunningMessage {
    #[schema(example = "dun_0000000000001")]
    pub id: String,
    pub agency_id: String,
    pub obligation_id: String,
    /// The step of dunning: `reminder`, `due_today`, …
    pub step: String,
    pub language: String,
    pub recipient: String,
    /// The same however often it was tried.
    pub message_id: String,
    pub subject: String,
    pub body: String,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Why the last try did not succeed.
    pub error: Option<String>,
    pub created_at: String,
    pub sent_at: Option<String>,
}

impl From<DunningRow> for DunningMessage {
    fn from(row: DunningRow) -> Self {
        DunningMessage {
            id: DunningMessageId::of(row.id).to_string(),
            agency_id: AgencyId::of(row.agency_id).to_string(),
            obligation_id: ObligationId::of(row.obligation_id).to_string(),
            step: row.step,
            language: row.language,
            recipient: row.recipient,
            message_id: row.message_id,
            subject: row.subject,
            body: row.body,
            state: row.state,
            error: row.error,
            created_at: time(row.created_at),
            sent_at: row.sent_at.map(time),
        }
    }
}

/// What agencies were written about what they have to pay, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/dunning_messages", tag = "Settlement", operation_id = "list_dunning_messages",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only to this agency")),
    responses((status = 200, body = Page<DunningMessage>)))]
pub async fn list_messages(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/dunning_messages")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| dunning_messages(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(DunningMessage::from)))
}
