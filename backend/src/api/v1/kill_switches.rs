//! `/v1/kill_switches`: what stops an agency's doings, an airline's sales or a bank line at once. One throws a switch, two lift it.

use super::input::Input;
use super::shape::{PageParams, by_key, by_user, choice, time};
use super::sight::{require_one, require_operator};
use crate::agencies::{self, FrozenScopes};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::credit::{self, SwitchesOf, Target, kill_switches, throw};
use crate::identity::Scope;
use crate::ids::{AgencyId, AirlineId, FacilityId, Id};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// What of an agency's doings: its keys, issuing and exchanging, refunds, or money out of wallet and deposit.
    FreezeScope = agencies::FreezeScope { Api, Issue, Refund, Withdrawal }
}

choice! {
    /// An operator's is lifted by `unfreeze`; that of an agency in default with its reinstatement.
    Grounds = credit::Grounds { Default, Operator }
}

/// A kill switch. Who threw it is the operator's own business.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KillSwitch {
    #[schema(example = "ksw_0000000000001")]
    pub id: String,
    /// An agency, an airline or a bank line.
    #[schema(example = "agy_0000000000001")]
    pub target_id: String,
    /// Of an agency: what of its doings.
    pub scopes: Option<Vec<FreezeScope>>,
    pub grounds: Grounds,
    pub reason: String,
    /// Null: a person did, or the platform because of a default.
    pub thrown_by_key_id: Option<String>,
    /// Null: a key did, or the platform because of a default.
    pub thrown_by_user_id: Option<String>,
    pub created_at: String,
    pub approval_id: Option<String>,
    /// Null while it is on.
    pub lifted_at: Option<String>,
}

impl From<credit::KillSwitch> for KillSwitch {
    fn from(switch: credit::KillSwitch) -> Self {
        let scopes = match &switch.target {
            Target::Agency(_, scopes) => Some(scopes.iter().map(FreezeScope::from).collect()),
            Target::Airline(_) | Target::Facility(_) => None,
        };
        KillSwitch {
            id: switch.id.to_string(),
            target_id: switch.target.id(),
            scopes,
            grounds: switch.grounds.into(),
            reason: switch.reason,
            thrown_by_key_id: by_key(switch.thrown_by.stored()),
            thrown_by_user_id: by_user(switch.thrown_by.stored()),
            created_at: time(switch.created_at),
            approval_id: switch.lifted.map(|(approval, _)| approval.to_string()),
            lifted_at: switch.lifted.map(|(_, at)| time(at)),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrowKillSwitch {
    /// `agy_…`, `arl_…` or `fac_…`.
    #[schema(example = "agy_0000000000001")]
    pub target_id: String,
    /// Of an agency, and only then: all of its doings if not given.
    pub scopes: Option<Vec<FreezeScope>>,
    /// 1 to 200 characters; of a bank line it is shown to whoever is refused a sale.
    pub reason: String,
}

impl ThrowKillSwitch {
    fn validate(&self) -> Result<(Target, String), ApiError> {
        let mut input = Input::default();
        let reason = input.text("reason", &self.reason, 200);
        let agency = AgencyId::parse(&self.target_id);
        if agency.is_err() && self.scopes.is_some() {
            input.fail(Code::InvalidValue, "scopes", "`scopes` has no meaning here: leave it out.");
        }
        let target = match (agency, AirlineId::parse(&self.target_id), FacilityId::parse(&self.target_id)) {
            (Ok(id), _, _) => {
                let all = agencies::FreezeScope::ALL.to_vec();
                let given = self.scopes.as_ref().map(|scopes| scopes.iter().map(|scope| (*scope).into()).collect());
                Some(Target::Agency(id, FrozenScopes::of(given.unwrap_or(all))))
            }
            (_, Ok(id), _) => Some(Target::Airline(id)),
            (_, _, Ok(id)) => Some(Target::Facility(id)),
            _ => {
                input.fail(Code::InvalidValue, "target_id", "`target_id` is an agency, an airline or a bank line.");
                None
            }
        };
        input.finish(target.zip(reason))
    }
}

/// Throws a kill switch: its target stands still from the next commit on. Two people lift it (`unfreeze` in `/v1/approvals`). The operator only.
#[utoipa::path(post, path = "/v1/kill_switches", tag = "Settlement", operation_id = "throw_kill_switch", request_body = Data<ThrowKillSwitch>,
    responses((status = 201, body = Data<KillSwitch>), (status = 409, description = "`invalid_state`: the agency is closed", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn throw_switch(caller: Caller, request: HttpRequest, body: Body<ThrowKillSwitch>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::RiskWrite, Scope::PartiesWrite])?;
    let (target, reason) = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        Ok(KillSwitch::from(throw(tx, &cause, &target, credit::Grounds::Operator, &reason)?))
    })
    .await
}

/// Kill switches, newest first: all there ever were, or those that are on. The operator only.
#[utoipa::path(get, path = "/v1/kill_switches", tag = "Settlement", operation_id = "list_kill_switches",
    params(PageParams, ("on" = Option<bool>, Query, description = "`true`: only those that are on")),
    responses((status = 200, body = Page<KillSwitch>)))]
pub async fn list_kill_switches(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/kill_switches")?;
    let (window, limit) = (request.window(), request.fetch());
    let of = if query.flag("on")?.unwrap_or(false) { SwitchesOf::Now } else { SwitchesOf::AllTime };
    let found = caller.read(move |db| kill_switches(db, of, window, limit)).await?;
    Ok(page(&request.page(found, |switch| switch.id.raw()).map(KillSwitch::from)))
}
