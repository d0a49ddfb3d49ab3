//! `/v1/guarantees`: security beside deposits, and what it counts for.

use super::input::Input;
use super::keys::NoDetails;
use super::shape::{PageParams, choice, time};
use super::sight::{narrowed, not_found};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::credit::{self, NewGuarantee, guarantee, guarantees, register_guarantee, release_guarantee};
use crate::documents::attachment;
use crate::identity::Scope;
use crate::ids::{GuaranteeId, Id};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// Of a bank, of an insurer, or an asset.
    GuaranteeKind = credit::GuaranteeKind { Guarantee, Insurance, Pledge }
}
choice! {
    /// Only what is in force counts in the limit. `called`: its guarantor has paid all of it.
    GuaranteeStatus = credit::GuaranteeStatus { NotYet, InForce, Expired, Released, Called }
}

/// Security in an agency's limit. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Guarantee {
    #[schema(example = "gua_0000000000001")]
    pub id: String,
    pub agency_id: String,
    pub kind: GuaranteeKind,
    /// Who answers for it.
    #[schema(example = "Huangpu Commercial Bank")]
    pub issuer: String,
    #[schema(example = "100000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The part that is not counted.
    #[schema(example = "0.2")]
    pub haircut: String,
    /// What it adds to the limit while it is in force: what was not called of it, after its haircut.
    #[schema(example = "80000.00")]
    pub counted_amount: String,
    /// What its guarantor paid for the agency in a default.
    #[schema(example = "0.00")]
    pub called_amount: String,
    pub effective_from: String,
    /// The last day on which it counts, by the ledger's date.
    pub expires_on: String,
    pub status: GuaranteeStatus,
    /// Its document.
    pub attachment_id: String,
    pub created_at: String,
    pub released_at: Option<String>,
}

impl Guarantee {
    fn on(found: credit::Guarantee, date: NaiveDate) -> Self {
        let status = found.status_on(date).into();
        let terms = found.terms;
        Guarantee {
            id: found.id.to_string(),
            agency_id: terms.agency.to_string(),
            kind: terms.kind.into(),
            issuer: terms.issuer,
            amount: terms.amount.to_string(),
            currency: terms.amount.currency.to_string(),
            haircut: terms.haircut.to_string(),
            counted_amount: found.counted.to_string(),
            called_amount: found.called.to_string(),
            effective_from: terms.effective_from.to_string(),
            expires_on: terms.expires_on.to_string(),
            status,
            attachment_id: terms.document.to_string(),
            created_at: time(found.created_at),
            released_at: found.released_at.map(time),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterGuarantee {
    pub agency_id: String,
    pub kind: GuaranteeKind,
    /// 1 to 100 characters.
    pub issuer: String,
    /// Decimal string, more than zero.
    #[schema(example = "100000.00")]
    pub amount: String,
    /// The agency's.
    #[schema(example = "CNY")]
    pub currency: String,
    /// The part that is not counted: 0 to 1 as text.
    #[schema(example = "0.2")]
    pub haircut: String,
    pub effective_from: String,
    /// The last day on which it counts; not before today.
    pub expires_on: String,
    /// An attachment of the operator: the document.
    pub attachment_id: String,
}

impl RegisterGuarantee {
    fn validate(&self) -> Result<NewGuarantee, ApiError> {
        let mut input = Input::default();
        let agency = input.id("agency_id", &self.agency_id);
        let issuer = input.text("issuer", &self.issuer, 100);
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        let haircut = input.rate("haircut", &self.haircut);
        let effective_from = input.date("effective_from", &self.effective_from);
        let expires_on = input.date("expires_on", &self.expires_on);
        let document = input.id("attachment_id", &self.attachment_id);
        let read = (|| {
            Some(NewGuarantee {
                agency: agency?,
                kind: self.kind.into(),
                issuer: issuer?,
                amount: amount?,
                haircut: haircut?,
                effective_from: effective_from?,
                expires_on: expires_on?,
                document: document?,
            })
        })();
        input.finish(read)
    }
}

/// Guarantees, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/guarantees", tag = "Settlement", operation_id = "list_guarantees",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")), responses((status = 200, body = Page<Guarantee>)))]
pub async fn list_guarantees(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/guarantees")?;
    let (window, limit) = (request.window(), request.fetch());
    let own = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let today = caller.app.store.today();
    let found = caller.read(move |db| guarantees(db, own.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(|one| Guarantee::on(one, today))))
}

/// Registers security with its document; it counts in the agency's limit from the next commit on. The operator only.
#[utoipa::path(post, path = "/v1/guarantees", tag = "Settlement", operation_id = "register_guarantee", request_body = Data<RegisterGuarantee>,
    responses((status = 201, body = Data<Guarantee>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`, `currency_mismatch`", body = ErrorBody)))]
pub async fn register(caller: Caller, request: HttpRequest, body: Body<RegisterGuarantee>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let (cause, organisation) = (caller.cause(), caller.key.organisation);
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let document = attachment(tx.db, new.document)?.filter(|row| row.organisation_id == organisation.raw());
        if document.is_none() {
            return Err(super::input::invalid("attachment_id", "there is no such attachment of the operator"));
        }
        let registered = register_guarantee(tx, &new)?;
        audit::record(tx, &cause, "guarantee.register", registered.id)?;
        Ok(Guarantee::on(registered, tx.ledger_date))
    })
    .await
}

/// One guarantee.
#[utoipa::path(get, path = "/v1/guarantees/{id}", tag = "Settlement", operation_id = "get_guarantee",
    params(("id" = String, Path, description = "`gua_…`")), responses((status = 200, body = Data<Guarantee>)))]
pub async fn get_guarantee(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: GuaranteeId = path_id(&id)?;
    let own = caller.visible_agencies().await?;
    let found = caller.read(move |db| guarantee(db, id)).await?;
    let visible = found.filter(|one| own.is_none_or(|own| own.contains(&one.terms.agency)));
    Ok(ok(Guarantee::on(visible.ok_or_else(not_found)?, caller.app.store.today())))
}

/// Gives a guarantee back: it counts no more. A limit below what is owed only stops sales. The operator only.
#[utoipa::path(post, path = "/v1/guarantees/{id}/actions/release", tag = "Settlement", operation_id = "release_guarantee",
    params(("id" = String, Path, description = "`gua_…`")), request_body = Data<NoDetails>, responses((status = 200, body = Data<Guarantee>)))]
pub async fn release(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: GuaranteeId = path_id(&id)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let released = release_guarantee(tx, id)?;
        audit::record(tx, &cause, "guarantee.release", id)?;
        Ok(Guarantee::on(released, tx.ledger_date))
    })
    .await
}
