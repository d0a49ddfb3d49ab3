//! What two people have to agree on: asked for by one key, agreed to by another, done in the commit of the agreement or not at all.

use crate::database::Engine;
use crate::world::{Anything, World};
use airsettle::agencies::{Tier, agency, set_tier};
use airsettle::approvals::{
    Approval, ApprovalError, ApprovalFilter, ApprovalStatus, ChangeKind, Proposal, Requested, approvals, approve, reject, submit,
};
use airsettle::audit::{Actor, ActorId, Cause};
use airsettle::db::{Window, WriteTx};
use airsettle::ids::{AgencyId, ApprovalId, Id, KeyId, OrganisationId};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use std::sync::Barrier;

on_both_engines!(
    what_one_asks_for_is_done_when_another_agrees,
    nobody_agrees_with_himself,
    a_key_that_was_made_since_is_nobody_else,
    a_request_is_decided_once,
    two_who_agree_at_once_do_it_once,
    what_has_changed_since_is_asked_for_again,
    the_same_change_waits_once_and_another_takes_its_place,
    nobody_decides_after_it_has_expired,
    a_change_that_is_refused_leaves_the_request_waiting,
    a_request_that_was_altered_is_found,
);

/// Puts the agency into another tier: a change that everybody here can see.
#[derive(Debug, Serialize, Deserialize)]
struct Promotion {
    agency_id: String,
    tier: String,
}

impl Proposal for Promotion {
    const KIND: ChangeKind = ChangeKind::Unfreeze;
    type Error = Anything;

    fn subject(&self) -> String {
        self.agency_id.clone()
    }

    fn basis(&self, tx: &mut WriteTx) -> Result<String, Anything> {
        let found = agency(tx.db, AgencyId::parse(&self.agency_id)?)?;
        Ok(found.ok_or("no such agency")?.tier.text().to_owned())
    }

    fn carry_out(&self, tx: &mut WriteTx, _: &Cause, _: ApprovalId) -> Result<String, Anything> {
        let tier = Tier::parse(&self.tier).ok_or("no such tier")?;
        set_tier(tx, AgencyId::parse(&self.agency_id)?, tier)?;
        Ok(self.agency_id.clone())
    }
}

pub const ANNA: i64 = 101;
pub const BORIS: i64 = 102;
const CLARA: i64 = 103;

pub fn by(key: i64) -> Cause {
    Cause { actor: Actor { organisation: OrganisationId::of(1), by: ActorId::of(key), person: None }, request_id: "req".into() }
}

impl World {
    fn asks(&self, key: i64, tier: &str) -> Result<Requested, Anything> {
        let proposal = Promotion { agency_id: self.agency.to_string(), tier: tier.into() };
        self.store.write(|tx| submit(tx, &by(key), &proposal, "it sells a lot"))
    }

    fn asked(&self, key: i64, tier: &str) -> Approval {
        match self.asks(key, tier).unwrap() {
            Requested::New(approval) => approval,
            Requested::Waiting(approval) => panic!("waits already: {approval:?}"),
        }
    }

    fn consents(&self, key: i64, id: ApprovalId) -> Result<Approval, Anything> {
        self.store.write(|tx| approve::<Promotion, Anything>(tx, &by(key), id))
    }

    fn may_not_consent(&self, key: i64, id: ApprovalId) -> ApprovalError {
        *self.consents(key, id).unwrap_err().downcast().unwrap()
    }

    fn tier(&self) -> String {
        self.read(|db| agency(db, self.agency)).unwrap().tier.to_string()
    }

    fn requests(&self, filter: &ApprovalFilter) -> Vec<Approval> {
        self.read(|db| approvals(db, filter, self.clock.now(), Window::NEWEST, 100))
    }

    fn told_of_approvals(&self) -> Vec<String> {
        self.texts("SELECT kind AS value FROM event WHERE kind LIKE 'approval.%' ORDER BY id")
    }
}

fn what_one_asks_for_is_done_when_another_agrees(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    assert_eq!((asked.status_at(world.clock.now()), world.tier()), (ApprovalStatus::Pending, "standard".into()));
    assert_eq!(asked.payload, format!(r#"{{"agency_id":"{}","tier":"gold"}}"#, world.agency));
    let done = world.consents(BORIS, asked.id).unwrap();
    assert_eq!((done.status_at(world.clock.now()), world.tier()), (ApprovalStatus::Approved, "gold".into()));
    assert_eq!((done.decided_by, done.result), (Some(ActorId::Key(KeyId::of(BORIS))), Some(world.agency.to_string())));
    assert_eq!(world.told_of_approvals(), ["approval.requested", "approval.approved"]);
    let audited = world.texts("SELECT action AS value FROM audit_event WHERE key_id IN (101, 102) ORDER BY id");
    assert_eq!(audited, ["approval.request", "approval.approve"]);
    world.adds_up();
}

fn nobody_agrees_with_himself(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    assert!(matches!(world.may_not_consent(ANNA, asked.id), ApprovalError::SelfApproval));
    // The platform asks for nothing and agrees to nothing.
    assert!(matches!(world.may_not_consent(0, asked.id), ApprovalError::SelfApproval));
    let unattended: ApprovalError = *world.asks(0, "gold").unwrap_err().downcast().unwrap();
    assert!(matches!(unattended, ApprovalError::Unattended));
    assert_eq!(world.tier(), "standard");
    world.consents(BORIS, asked.id).unwrap();
}

fn a_key_that_was_made_since_is_nobody_else(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    let since = world.store.ids().block(1);
    assert!(matches!(world.may_not_consent(since, asked.id), ApprovalError::SelfApproval));
    assert_eq!(world.tier(), "standard");
}

fn a_request_is_decided_once(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    let rejected = world.store.write(|tx| reject(tx, &by(BORIS), asked.id, "not yet")).unwrap();
    assert_eq!(rejected.note.as_deref(), Some("not yet"));
    assert!(matches!(world.may_not_consent(CLARA, asked.id), ApprovalError::Decided(ApprovalStatus::Rejected)));
    let again = world.asked(ANNA, "gold");
    world.consents(CLARA, again.id).unwrap();
    let late = world.store.write(|tx| reject(tx, &by(BORIS), again.id, "no")).unwrap_err();
    assert!(matches!(late, ApprovalError::Decided(ApprovalStatus::Approved)));
    assert_eq!(world.told_of_approvals(), ["approval.requested", "approval.rejected", "approval.requested", "approval.approved"]);
    world.adds_up();
}

fn two_who_agree_at_once_do_it_once(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    // Two nodes, so that nothing but the database stands between them; SQLite has one writer anyway.
    let stores = [world.store.clone(), std::sync::Arc::new(world.database.open(world.clock.clone()))];
    let together = Barrier::new(2);
    let outcomes: Vec<Result<Approval, Anything>> = std::thread::scope(|scope| {
        let agreeing = stores.iter().zip([BORIS, CLARA]).map(|(store, key)| {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                store.write(|tx| approve::<Promotion, Anything>(tx, &by(key), asked.id))
            })
        });
        agreeing.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let refused = outcomes.into_iter().find_map(Result::err).unwrap();
    let refused: Box<ApprovalError> = refused.downcast().unwrap();
    assert!(matches!(*refused, ApprovalError::Decided(ApprovalStatus::Approved)), "{refused}");
    assert_eq!(world.told_of_approvals(), ["approval.requested", "approval.approved"]);
}

fn what_has_changed_since_is_asked_for_again(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    world.write(|tx| Ok(set_tier(tx, world.agency, Tier::parse("silver").unwrap())?));
    let stale = world.may_not_consent(BORIS, asked.id);
    assert!(matches!(&stale, ApprovalError::Stale { subject } if *subject == world.agency.to_string()), "{stale}");
    assert_eq!(world.tier(), "silver");
    let again = world.asked(ANNA, "gold");
    assert!(matches!(world.may_not_consent(BORIS, asked.id), ApprovalError::Decided(ApprovalStatus::Superseded)));
    world.consents(BORIS, again.id).unwrap();
    assert_eq!(world.tier(), "gold");
    world.adds_up();
}

fn the_same_change_waits_once_and_another_takes_its_place(engine: Engine) {
    let world = World::on(engine);
    let gold = world.asked(ANNA, "gold");
    let Requested::Waiting(same) = world.asks(CLARA, "gold").unwrap() else { panic!("asked for twice") };
    assert_eq!((same.id, same.requested_by), (gold.id, ActorId::Key(KeyId::of(ANNA))));
    let platinum = world.asked(CLARA, "platinum");
    let waiting = world.requests(&ApprovalFilter { status: Some(ApprovalStatus::Pending), ..ApprovalFilter::default() });
    assert_eq!(waiting.iter().map(|one| one.id).collect::<Vec<_>>(), [platinum.id]);
    assert!(matches!(world.may_not_consent(BORIS, gold.id), ApprovalError::Decided(ApprovalStatus::Superseded)));
    // Whoever asked may take it back.
    world.store.write(|tx| reject(tx, &by(CLARA), platinum.id, "a mistake")).unwrap();
    assert_eq!(world.tier(), "standard");
    let all = world.requests(&ApprovalFilter { subject: Some(world.agency.to_string()), ..ApprovalFilter::default() });
    assert_eq!(all.len(), 2);
    world.adds_up();
}

fn nobody_decides_after_it_has_expired(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "gold");
    world.time_passes(Duration::hours(72));
    assert!(matches!(world.may_not_consent(BORIS, asked.id), ApprovalError::Expired(_)));
    let late = world.store.write(|tx| reject(tx, &by(BORIS), asked.id, "no")).unwrap_err();
    assert!(matches!(late, ApprovalError::Expired(_)));
    let expired = world.requests(&ApprovalFilter { status: Some(ApprovalStatus::Expired), ..ApprovalFilter::default() });
    assert_eq!(expired.len(), 1);
    let again = world.asked(ANNA, "gold");
    world.consents(BORIS, again.id).unwrap();
    assert_eq!(world.requests(&ApprovalFilter { status: Some(ApprovalStatus::Expired), ..ApprovalFilter::default() }).len(), 0);
    world.adds_up();
}

fn a_change_that_is_refused_leaves_the_request_waiting(engine: Engine) {
    let world = World::on(engine);
    let asked = world.asked(ANNA, "NOT A TIER");
    assert_eq!(world.consents(BORIS, asked.id).unwrap_err().to_string(), "no such tier");
    let waiting = world.requests(&ApprovalFilter { kind: Some(ChangeKind::Unfreeze), ..ApprovalFilter::default() });
    assert_eq!(waiting[0].status_at(world.clock.now()), ApprovalStatus::Pending);
    assert_eq!(world.told_of_approvals(), ["approval.requested"]);
}

fn a_request_that_was_altered_is_found(engine: Engine) {
    for (change, rule) in [
        ("UPDATE approval SET payload = replace(payload, 'gold', 'lead')", "an approval's digest"),
        ("UPDATE approval SET basis = ''", "an approval's digest"),
        ("UPDATE approval SET decided_key_id = 9000000000000000000", "by another key"),
        ("UPDATE approval SET decided_at = expires_at", "in time"),
    ] {
        let world = World::on(engine);
        let asked = world.asked(ANNA, "gold");
        world.consents(BORIS, asked.id).unwrap();
        assert!(world.database.as_application("UPDATE approval SET payload = '{}'").is_err(), "what was asked for stays");
        assert!(world.database.as_application("DELETE FROM approval").is_err());
        world.database.tamper("approval", change);
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
