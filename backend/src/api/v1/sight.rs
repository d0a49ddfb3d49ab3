//! Who sees what: the operator everything; an agency its own; an airline what is paid to it and sold on its stock; a bank its own lines.
//! What a caller does not see is answered like what does not exist.

use crate::agencies::{Agency, agency};
use crate::airlines::{Airline, airline, airlines_of};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::credit::{FacilityState, facilities_of, facility};
use crate::db::{Db, DbError, Window};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, AirlineId, FacilityId, Id};

/// More of one organisation's own than this is not looked at: far more than any has.
const MOST: i64 = 1_000;

/// One of these scopes is enough.
pub fn require_one(caller: &Caller, scopes: &[Scope]) -> Result<(), ApiError> {
    if scopes.iter().any(|scope| caller.key.scopes.contains(scope)) {
        return Ok(());
    }
    let names: Vec<&str> = scopes.iter().map(|scope| scope.text()).collect();
    let message = format!("This needs one of the scopes {}, which the key does not have.", names.join(", "));
    Err(ApiError::new(Code::InsufficientScope, message))
}

/// For what shows everybody's business at once.
pub fn require_operator(caller: &Caller) -> Result<(), ApiError> {
    if caller.is_operator() {
        return Ok(());
    }
    Err(ApiError::new(Code::InsufficientScope, "Only the operator may read this."))
}

pub fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

/// What belongs to the caller; `None` in a field: all there is.
#[derive(Clone, Debug)]
pub struct Sight {
    pub agencies: Option<Vec<AgencyId>>,
    pub airlines: Option<Vec<AirlineId>>,
    pub facilities: Option<Vec<FacilityId>>,
}

impl Sight {
    pub async fn of(caller: &Caller) -> Result<Self, ApiError> {
        let agencies = caller.visible_agencies().await?;
        let (kind, organisation, today) = (caller.key.kind, caller.key.organisation, caller.app.today());
        let (airlines, facilities) = caller
            .read(move |db| {
                Ok::<_, DbError>(match kind {
                    OrganisationKind::Operator => (None, None),
                    OrganisationKind::Airline => {
                        let own = airlines_of(db, Some(organisation), Window::NEWEST, MOST)?;
                        (Some(own.iter().map(|airline| airline.id).collect()), Some(Vec::new()))
                    }
                    OrganisationKind::Bank => {
                        let own = facilities_of(db, Some(organisation), today, Window::NEWEST, MOST)?;
                        (Some(Vec::new()), Some(own.iter().map(|line| line.facility.id).collect()))
                    }
                    OrganisationKind::Agency => (Some(Vec::new()), Some(Vec::new())),
                })
            })
            .await?;
        Ok(Sight { agencies, airlines, facilities })
    }

    /// The owners of the accounts that the caller sees; `None`: all.
    pub fn owners(&self) -> Option<Vec<i64>> {
        let (agencies, airlines, facilities) = (self.agencies.as_ref()?, self.airlines.as_ref()?, self.facilities.as_ref()?);
        let raw = agencies.iter().map(|id| id.raw()).chain(airlines.iter().map(|id| id.raw()));
        Some(raw.chain(facilities.iter().map(|id| id.raw())).collect())
    }

    pub fn sees_agency(&self, id: AgencyId) -> bool {
        self.agencies.as_ref().is_none_or(|own| own.contains(&id))
    }

    pub fn sees_airline(&self, id: AirlineId) -> bool {
        self.airlines.as_ref().is_none_or(|own| own.contains(&id))
    }

    pub fn sees_facility(&self, id: FacilityId) -> bool {
        self.facilities.as_ref().is_none_or(|own| own.contains(&id))
    }
}

pub fn visible_agency(caller: &Caller, db: &mut Db, id: AgencyId) -> Result<Agency, ApiError> {
    let found = agency(db, id)?.filter(|agency| {
        let bound_here = caller.key.agency.is_none_or(|bound| bound == id);
        caller.is_operator() || (agency.organisation == caller.key.organisation && bound_here)
    });
    found.ok_or_else(not_found)
}

pub fn visible_airline(caller: &Caller, db: &mut Db, id: AirlineId) -> Result<Airline, ApiError> {
    let found = airline(db, id)?;
    let own = |airline: &Airline| caller.is_operator() || airline.organisation == caller.key.organisation;
    found.filter(own).ok_or_else(not_found)
}

pub fn visible_facility(caller: &Caller, db: &mut Db, id: FacilityId) -> Result<FacilityState, ApiError> {
    let found = facility(db, id, caller.app.today())?;
    let own = |line: &FacilityState| caller.is_operator() || line.facility.bank == caller.key.organisation;
    found.filter(own).ok_or_else(not_found)
}

/// What is asked for of what is visible; `None` on either side is all. What is not visible is not there.
pub(super) fn narrowed<T: PartialEq>(asked: Option<T>, visible: Option<Vec<T>>) -> Option<Vec<T>> {
    match (asked, visible) {
        (None, visible) => visible,
        (Some(asked), None) => Some(vec![asked]),
        (Some(asked), Some(own)) => Some(own.into_iter().filter(|id| *id == asked).collect()),
    }
}
