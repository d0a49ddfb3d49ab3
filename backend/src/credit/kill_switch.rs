//! Kill switches: one person stops an agency's doings, an airline's sales or a bank line, with a reason; two people start them again. A default throws one
//! too. What is stopped is written where the commit reads it anyway: on the agency's row, the airline's status, the line's reason for being closed.

use super::facility::{FacilityError, close_for_switch, keep_closed_after_switch};
use crate::agencies::{AgencyError, AgencyStatus, FreezeScope, FrozenScopes, agency, set_frozen};
use crate::airlines::{Airline, AirlineError, AirlineStatus, airline, set_airline_status};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, ActorId, Cause};
use crate::db::schema::kill_switch as table;
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, lock_word, rows, windowed};
use crate::ids::{AgencyId, AirlineId, ApprovalId, FacilityId, Id, KillSwitchId};
use crate::notify::{EventType, NewEvent, emit};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

rows! {
    pub struct KillSwitchRow in kill_switch {
        id: i64,
        agency_id: Option<i64>,
        airline_id: Option<i64>,
        facility_id: Option<i64>,
        /// Of an agency: what of its doings.
        scopes: String,
        grounds: String,
        reason: String,
        organisation_id: i64,
        key_id: i64,
        created_at: NaiveDateTime,
        approval_id: Option<i64>,
        lifted_at: Option<NaiveDateTime>,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Agency(AgencyId, FrozenScopes),
    Airline(AirlineId),
    Facility(FacilityId),
}

impl Target {
    /// As it is named outside.
    pub fn id(&self) -> String {
        match self {
            Target::Agency(id, _) => id.to_string(),
            Target::Airline(id) => id.to_string(),
            Target::Facility(id) => id.to_string(),
        }
    }

    fn event(&self, kind: EventType, id: KillSwitchId) -> NewEvent {
        let event = NewEvent::new(kind, id);
        match self {
            Target::Agency(agency, _) => event.of_agency(*agency),
            Target::Airline(airline) => event.of_airline(*airline),
            Target::Facility(facility) => event.of_facility(*facility),
        }
    }
}

/// Why it is on, which decides how it is lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// Thrown by hand: lifted when two people agree.
    Operator,
    /// The agency is in default: lifted with its reinstatement.
    Default,
}

impl Grounds {
    pub const ALL: [Grounds; 2] = [Grounds::Operator, Grounds::Default];

    pub fn text(self) -> &'static str {
        match self {
            Grounds::Operator => "operator",
            Grounds::Default => "default",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Grounds::ALL.into_iter().find(|grounds| grounds.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct KillSwitch {
    pub id: KillSwitchId,
    pub target: Target,
    pub grounds: Grounds,
    pub reason: String,
    pub thrown_by: ActorId,
    pub created_at: NaiveDateTime,
    pub lifted: Option<(ApprovalId, NaiveDateTime)>,
}

impl TryFrom<KillSwitchRow> for KillSwitch {
    type Error = DbError;

    fn try_from(row: KillSwitchRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("kill switch {}", row.id));
        let target = match (row.agency_id, row.airline_id, row.facility_id) {
            (Some(id), None, None) => Target::Agency(AgencyId::of(id), FrozenScopes::parse(&row.scopes).ok_or_else(corrupt)?),
            (None, Some(id), None) => Target::Airline(AirlineId::of(id)),
            (None, None, Some(id)) => Target::Facility(FacilityId::of(id)),
            _ => return Err(corrupt()),
        };
        Ok(KillSwitch {
            id: KillSwitchId::of(row.id),
            target,
            grounds: Grounds::parse(&row.grounds).ok_or_else(corrupt)?,
            reason: row.reason,
            thrown_by: ActorId::of(row.key_id),
            created_at: row.created_at,
            lifted: row.approval_id.map(ApprovalId::of).zip(row.lifted_at),
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KillSwitchError {
    #[error("{0} is no kill switch")]
    Unknown(String),
    #[error("there is nothing with this id to stop")]
    NoTarget,
    #[error("an agency is stopped in at least one of its doings")]
    NoScope,
    #[error("the agency is closed")]
    Closed,
    #[error("the kill switch was lifted before")]
    Lifted,
    #[error("the agency is in default: its reinstatement lifts this kill switch")]
    InDefault,
    #[error("a kill switch is on: two people lift it")]
    On,
    #[error(transparent)]
    Agency(#[from] AgencyError),
    #[error(transparent)]
    Airline(#[from] AirlineError),
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Stops its target from the next commit on. Several may be on for one target; it goes on when the last one is lifted.
pub fn throw(
    tx: &mut WriteTx,
    cause: &Cause,
    target: &Target,
    grounds: Grounds,
    reason: &str,
) -> Result<KillSwitch, KillSwitchError> {
    lock_target(tx, target)?;
    let scopes = match target {
        Target::Agency(id, scopes) => {
            let found = agency(tx.db, *id)?.ok_or(KillSwitchError::NoTarget)?;
            if found.status == AgencyStatus::Closed {
                return Err(KillSwitchError::Closed);
            }
            if scopes.iter().next().is_none() {
                return Err(KillSwitchError::NoScope);
            }
            scopes.text()
        }
        Target::Airline(id) => {
            airline(tx.db, *id)?.ok_or(KillSwitchError::NoTarget)?;
            String::new()
        }
        Target::Facility(id) => {
            super::facility::facility(tx.db, *id, tx.ledger_date)?.ok_or(KillSwitchError::NoTarget)?;
            String::new()
        }
    };
    let (agency_id, airline_id, facility_id) = columns(target);
    let row = KillSwitchRow {
        id: tx.ids.next::<KillSwitchId>().raw(),
        agency_id,
        airline_id,
        facility_id,
        scopes,
        grounds: grounds.text().to_owned(),
        reason: reason.to_owned(),
        organisation_id: cause.actor.organisation.raw(),
        key_id: cause.actor.by.stored(),
        created_at: tx.now.naive(),
        approval_id: None,
        lifted_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let thrown = KillSwitch::try_from(row)?;
    apply(tx, &thrown.target)?;
    audit::record(tx, cause, "kill_switch.throw", thrown.id)?;
    emit(tx, thrown.target.event(EventType::KillSwitchThrown, thrown.id).caused_by(&cause.request_id))?;
    Ok(thrown)
}

fn columns(target: &Target) -> (Option<i64>, Option<i64>, Option<i64>) {
    match target {
        Target::Agency(id, _) => (Some(id.raw()), None, None),
        Target::Airline(id) => (None, Some(id.raw()), None),
        Target::Facility(id) => (None, None, Some(id.raw())),
    }
}

fn lock_target(tx: &mut WriteTx, target: &Target) -> Result<(), DbError> {
    match target {
        Target::Agency(id, _) => lock(tx, Contended::Agency, &[id.raw()]),
        Target::Airline(_) | Target::Facility(_) => lock_word(tx, &format!("kill switch {}", target.id())),
    }
}

/// Those that are on for a target, oldest first.
fn switches_on(db: &mut Db, target: &Target) -> Result<Vec<KillSwitch>, DbError> {
    let (agency, airline, facility) = columns(target);
    let on = table::table.filter(table::lifted_at.is_null()).order(table::id).into_boxed();
    let on = match (agency, airline, facility) {
        (Some(id), _, _) => on.filter(table::agency_id.eq(id)),
        (_, Some(id), _) => on.filter(table::airline_id.eq(id)),
        (_, _, id) => on.filter(table::facility_id.eq(id)),
    };
    let rows: Vec<KillSwitchRow> = on.select(KillSwitchRow::as_select()).load(db)?;
    rows.into_iter().map(KillSwitch::try_from).collect()
}

/// Makes the target stand as its switches say.
fn apply(tx: &mut WriteTx, target: &Target) -> Result<(), KillSwitchError> {
    let on = switches_on(tx.db, target)?;
    match target {
        Target::Agency(id, _) => {
            let current = agency(tx.db, *id)?.ok_or(KillSwitchError::NoTarget)?;
            let scopes = on.iter().filter_map(|switch| match &switch.target {
                Target::Agency(_, scopes) => Some(scopes),
                Target::Airline(_) | Target::Facility(_) => None,
            });
            let frozen = FrozenScopes::of(scopes.flat_map(FrozenScopes::iter).collect::<Vec<FreezeScope>>());
            set_frozen(tx, &current, &frozen)?;
        }
        Target::Airline(id) => {
            let status = if on.is_empty() { AirlineStatus::Active } else { AirlineStatus::Stopped };
            set_airline_status(tx, *id, status)?;
        }
        Target::Facility(id) => match on.first() {
            Some(first) => close_for_switch(tx, *id, &first.reason)?,
            None => keep_closed_after_switch(tx, *id)?,
        },
    }
    Ok(())
}

/// Lets a stopped airline be sold again, unless a kill switch stopped it.
pub fn resume_airline(tx: &mut WriteTx, id: AirlineId) -> Result<Airline, KillSwitchError> {
    let target = Target::Airline(id);
    lock_target(tx, &target)?;
    if !switches_on(tx.db, &target)?.is_empty() {
        return Err(KillSwitchError::On);
    }
    Ok(set_airline_status(tx, id, AirlineStatus::Active)?)
}

/// What two people agree on to lift a kill switch. A bank line is then closed as by hand: it is reopened when its bank answers a probe.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfreeze {
    pub kill_switch_id: String,
}

impl Unfreeze {
    fn read(&self, tx: &mut WriteTx) -> Result<KillSwitch, KillSwitchError> {
        let unknown = || KillSwitchError::Unknown(self.kill_switch_id.clone());
        let id = KillSwitchId::parse(&self.kill_switch_id).map_err(|_| unknown())?;
        let known = kill_switch(tx.db, id)?.ok_or_else(unknown)?;
        lock_target(tx, &known.target)?;
        let switch = kill_switch(tx.db, id)?.filter(|switch| switch.lifted.is_none()).ok_or(KillSwitchError::Lifted)?;
        match switch.grounds {
            Grounds::Operator => Ok(switch),
            Grounds::Default => Err(KillSwitchError::InDefault),
        }
    }
}

impl Proposal for Unfreeze {
    const KIND: ChangeKind = ChangeKind::Unfreeze;
    type Error = KillSwitchError;

    fn subject(&self) -> String {
        self.kill_switch_id.clone()
    }

    /// Everything that is on for the target: another one thrown since is another situation.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, KillSwitchError> {
        let target = self.read(tx)?.target;
        let on = switches_on(tx.db, &target)?;
        Ok(on.iter().map(|switch| switch.id.to_string()).collect::<Vec<_>>().join(" "))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, KillSwitchError> {
        let switch = self.read(tx)?;
        lift(tx, cause, &switch, approval)?;
        Ok(switch.id.to_string())
    }
}

fn lift(tx: &mut WriteTx, cause: &Cause, switch: &KillSwitch, approval: ApprovalId) -> Result<(), KillSwitchError> {
    let lifted = (table::approval_id.eq(Some(approval.raw())), table::lifted_at.eq(Some(tx.now.naive())));
    diesel::update(table::table.find(switch.id.raw())).set(lifted).execute(&mut *tx.db).map_err(DbError::from)?;
    apply(tx, &switch.target)?;
    audit::record(tx, cause, "kill_switch.lift", switch.id)?;
    emit(tx, switch.target.event(EventType::KillSwitchLifted, switch.id).caused_by(&cause.request_id))?;
    Ok(())
}

/// Lifts what a default has thrown, once two people have agreed to reinstate the agency. The caller holds its lock.
pub fn lift_default(tx: &mut WriteTx, cause: &Cause, agency: AgencyId, approval: ApprovalId) -> Result<(), KillSwitchError> {
    let on = switches_on(tx.db, &Target::Agency(agency, FrozenScopes::of([])))?;
    for switch in on.iter().filter(|switch| switch.grounds == Grounds::Default) {
        lift(tx, cause, switch, approval)?;
    }
    Ok(())
}

pub fn kill_switch(db: &mut Db, id: KillSwitchId) -> Result<Option<KillSwitch>, DbError> {
    let row: Option<KillSwitchRow> = table::table.find(id.raw()).select(KillSwitchRow::as_select()).first(db).optional()?;
    row.map(KillSwitch::try_from).transpose()
}

/// Those that are on, or all there ever were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchesOf {
    Now,
    AllTime,
}

pub fn kill_switches(db: &mut Db, of: SwitchesOf, window: Window, limit: i64) -> Result<Vec<KillSwitch>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if of == SwitchesOf::Now {
        query = query.filter(table::lifted_at.is_null());
    }
    let rows: Vec<KillSwitchRow> = query.select(KillSwitchRow::as_select()).load(db)?;
    rows.into_iter().map(KillSwitch::try_from).collect()
}
