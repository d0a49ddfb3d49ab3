//! `/v1/organisations`: the parties of the platform.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::not_found;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::DbError;
use crate::identity::{self, NewOrganisation, Scope, open_organisation, organisation, organisations};
use crate::ids::{Id, OrganisationId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// The operator runs the platform; the others see what is theirs.
    OrganisationKind = identity::OrganisationKind { Operator, Agency, Airline, Bank }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organisation {
    #[schema(example = "org_0000000000001")]
    pub id: String,
    pub kind: OrganisationKind,
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<identity::Organisation> for Organisation {
    fn from(from: identity::Organisation) -> Self {
        Organisation {
            id: from.id.to_string(),
            kind: from.kind.into(),
            name: from.name,
            country: from.country,
            created_at: time(from.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganisation {
    /// Not `operator`: there is one.
    pub kind: OrganisationKind,
    /// 1 to 100 characters.
    pub name: String,
    /// ISO 3166 alpha-2.
    #[schema(example = "CN")]
    pub country: String,
}

impl CreateOrganisation {
    fn validate(&self) -> Result<NewOrganisation, ApiError> {
        let mut input = Input::default();
        if self.kind == OrganisationKind::Operator {
            input.fail(Code::InvalidValue, "kind", "`kind` is `agency`, `airline` or `bank`: there is one operator.");
        }
        let (name, country) = (input.text("name", &self.name, 100), input.country("country", &self.country));
        let kind = self.kind.into();
        input.finish(name.zip(country).map(|(name, country)| NewOrganisation { kind, name, country }))
    }
}

/// Organisations, newest first. The operator sees all, everybody else its own.
#[utoipa::path(get, path = "/v1/organisations", tag = "Access", operation_id = "list_organisations",
    params(PageParams), responses((status = 200, body = Page<Organisation>)))]
pub async fn list_organisations(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/organisations")?;
    let (window, limit, own) = (request.window(), request.fetch(), caller.key.organisation);
    let everybody = caller.is_operator();
    let found = caller
        .read(move |db| {
            if everybody {
                return organisations(db, window, limit);
            }
            Ok::<_, DbError>(organisation(db, own)?.into_iter().collect())
        })
        .await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(Organisation::from)))
}

/// Opens an organisation: an agency, an airline or a bank. The operator only.
#[utoipa::path(post, path = "/v1/organisations", tag = "Access", operation_id = "create_organisation",
    request_body = Data<CreateOrganisation>, responses((status = 201, body = Data<Organisation>)))]
pub async fn create_organisation(
    caller: Caller,
    request: HttpRequest,
    body: Body<CreateOrganisation>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let opened = open_organisation(tx, new)?;
        audit::record(tx, &cause, "organisation.open", opened.id)?;
        Ok(Organisation::from(opened))
    })
    .await
}

/// One organisation.
#[utoipa::path(get, path = "/v1/organisations/{id}", tag = "Access", operation_id = "get_organisation",
    params(("id" = String, Path, description = "`org_…`")),
    responses((status = 200, body = Data<Organisation>), (status = 404, description = "`not_found`", body = ErrorBody)))]
pub async fn get_organisation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: OrganisationId = path_id(&id)?;
    let visible = caller.is_operator() || caller.key.organisation == id;
    let found = caller.read(move |db| organisation(db, id)).await?.filter(|_| visible);
    Ok(ok(found.map(Organisation::from).ok_or_else(not_found)?))
}
