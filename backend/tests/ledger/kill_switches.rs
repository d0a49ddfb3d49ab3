//! Kill switches: one person stops an agency's doings, an airline or a bank line from the next commit on, and two start them again.

use crate::approvals::{ANNA, BORIS, by};
use crate::database::Engine;
use crate::refunds::wish;
use crate::world::{Anything, World, cny};
use airsettle::agencies::{FreezeScope, FrozenScopes};
use airsettle::airlines::{AirlineStatus, airline};
use airsettle::approvals::{approve, submit};
use airsettle::credit::{
    FacilityError, Grounds, KillSwitch, KillSwitchError, SwitchesOf, Target, Unfreeze, close_facility_by_hand, kill_switches,
    reopen_facility, resume_airline, throw,
};
use airsettle::db::Window;
use airsettle::settlement::{PayoutError, PayoutPurpose};
use airsettle::ticketing::{RefundError, RefundKind, Refusal};

on_both_engines!(
    an_agency_is_stopped_doing_by_doing,
    a_frozen_agency_is_said_to_be_frozen,
    another_switch_since_makes_it_another_decision,
    what_is_stopped_twice_goes_on_when_both_are_lifted,
    an_airline_stands_still_until_two_lift_its_switch,
    a_bank_line_stands_still_until_two_lift_its_switch,
    what_cannot_be_stopped_is_refused,
    a_changed_switch_is_found,
);

impl World {
    pub fn throws(&self, target: &Target) -> KillSwitch {
        self.store.write(|tx| throw(tx, &by(ANNA), target, Grounds::Operator, "a test")).unwrap()
    }

    pub fn freezes(&self, scopes: &[FreezeScope]) -> KillSwitch {
        self.throws(&Target::Agency(self.agency, FrozenScopes::of(scopes.iter().copied())))
    }

    pub fn lifts(&self, switch: &KillSwitch) -> Result<(), Anything> {
        self.two_agree(&Unfreeze { kill_switch_id: switch.id.to_string() }).map(drop)
    }

    pub fn switches_on(&self) -> Vec<KillSwitch> {
        self.read(|db| kill_switches(db, SwitchesOf::Now, Window::NEWEST, 1_000))
    }
}

fn an_agency_is_stopped_doing_by_doing(engine: Engine) {
    let world = World::trading(engine);
    let sold = world.sells(world.order());
    let deposit = || world.pays_out(world.agency, PayoutPurpose::DepositReturn, cny("1.00"));
    let refund = || {
        let quote = world.quotes_refund(&wish(&sold, RefundKind::Voluntary)).unwrap();
        world.confirms_refund(&quote)
    };
    let switch = world.freezes(&[FreezeScope::Withdrawal]);
    assert!(matches!(deposit().unwrap_err(), PayoutError::Frozen));
    world.sells(world.order());
    world.lifts(&switch).unwrap();
    deposit().unwrap();

    let switch = world.freezes(&[FreezeScope::Refund]);
    assert!(matches!(refund().unwrap_err(), RefundError::Frozen));
    world.sells(world.order());
    deposit().unwrap();
    world.lifts(&switch).unwrap();

    let switch = world.freezes(&[FreezeScope::Issue]);
    assert_eq!(world.refuses(world.order()), Refusal::AgencyFrozen);
    assert_eq!(world.refuses(world.order().held()), Refusal::AgencyFrozen);
    deposit().unwrap();
    world.lifts(&switch).unwrap();

    let switch = world.freezes(&[FreezeScope::Api]);
    assert_eq!(world.refuses(world.order()), Refusal::AgencyApiFrozen);
    world.lifts(&switch).unwrap();
    world.sells(world.order());
    refund().unwrap();
    // The other agency of the organisation never noticed.
    world.freezes(&FreezeScope::ALL);
    world.sells(world.order().by_wallet());
    world.adds_up();
}

fn a_frozen_agency_is_said_to_be_frozen(engine: Engine) {
    let world = World::on(engine);
    let status = || world.texts("SELECT status || ' ' || frozen_scopes AS value FROM agency ORDER BY id").remove(0);
    let switch = world.freezes(&FreezeScope::ALL);
    assert_eq!(status(), "frozen api issue refund withdrawal");
    world.lifts(&switch).unwrap();
    assert_eq!(status(), "active ");
    world.freezes(&[FreezeScope::Withdrawal, FreezeScope::Refund]);
    assert_eq!(status(), "active refund withdrawal");
    let told = world.texts("SELECT kind AS value FROM event WHERE kind LIKE 'kill_switch.%' OR kind LIKE 'agency.%' ORDER BY id");
    assert_eq!(told, ["agency.frozen", "kill_switch.thrown", "agency.activated", "kill_switch.lifted", "kill_switch.thrown"]);
    world.adds_up();
}

fn another_switch_since_makes_it_another_decision(engine: Engine) {
    let world = World::trading(engine);
    let first = world.freezes(&[FreezeScope::Issue]);
    let change = Unfreeze { kill_switch_id: first.id.to_string() };
    let asked = world.store.write(|tx| submit::<_, Anything>(tx, &by(ANNA), &change, "it is fine")).unwrap();
    world.freezes(&[FreezeScope::Issue]);
    let id = asked.approval().id;
    let refused = world.store.write(|tx| approve::<Unfreeze, Anything>(tx, &by(BORIS), id)).unwrap_err();
    assert!(refused.to_string().contains("has changed since"), "{refused}");
    assert_eq!(world.refuses(world.order()), Refusal::AgencyFrozen);
    world.adds_up();
}

fn what_is_stopped_twice_goes_on_when_both_are_lifted(engine: Engine) {
    let world = World::trading(engine);
    let switches = [world.freezes(&[FreezeScope::Issue]), world.freezes(&[FreezeScope::Issue, FreezeScope::Refund])];
    world.lifts(&switches[1]).unwrap();
    assert_eq!(world.refuses(world.order()), Refusal::AgencyFrozen);
    world.lifts(&switches[0]).unwrap();
    world.sells(world.order());
    let again = world.lifts(&switches[0]).unwrap_err();
    assert_eq!(again.to_string(), "the kill switch was lifted before");
    assert_eq!(world.switches_on().len(), 0);
    world.adds_up();
}

fn an_airline_stands_still_until_two_lift_its_switch(engine: Engine) {
    let world = World::trading(engine);
    let switch = world.throws(&Target::Airline(world.airline));
    assert_eq!(world.refuses(world.order()), Refusal::AirlineStopped { carrier: "CA".into() });
    let resumed = world.store.write(|tx| resume_airline(tx, world.airline)).unwrap_err();
    assert!(matches!(resumed, KillSwitchError::On));
    world.adds_up();
    world.lifts(&switch).unwrap();
    assert_eq!(world.read(|db| airline(db, world.airline)).unwrap().status, AirlineStatus::Active);
    world.sells(world.order());
    world.store.write(|tx| resume_airline(tx, world.airline)).unwrap();
    world.adds_up();
}

fn a_bank_line_stands_still_until_two_lift_its_switch(engine: Engine) {
    let world = World::trading(engine);
    let switch = world.throws(&Target::Facility(world.facility));
    assert_eq!(world.refuses(world.order()), Refusal::FacilityClosed { reason: "kill switch: a test".into() });
    world.sells(world.order().by_wallet());
    let reopen = || world.store.write(|tx| reopen_facility(tx, world.facility));
    assert!(matches!(reopen().unwrap_err(), FacilityError::SwitchOn));
    // Closing it by hand does not take the switch's place.
    world.write(|tx| Ok(close_facility_by_hand(tx, world.facility, "audit")?));
    assert!(matches!(reopen().unwrap_err(), FacilityError::SwitchOn));
    world.adds_up();
    world.lifts(&switch).unwrap();
    assert!(
        matches!(world.refuses(world.order()), Refusal::FacilityClosed { reason } if reason.starts_with("closed by the operator"))
    );
    reopen().unwrap();
    world.sells(world.order());
    world.adds_up();
}

fn what_cannot_be_stopped_is_refused(engine: Engine) {
    use airsettle::agencies::{AgencyStatus, set_status};
    use airsettle::ids::{AgencyId, AirlineId, FacilityId, Id};
    let world = World::on(engine);
    let refused =
        |target: Target| world.store.write(|tx| throw(tx, &by(ANNA), &target, Grounds::Operator, "a test")).unwrap_err();
    let all = FrozenScopes::of(FreezeScope::ALL);
    assert!(matches!(refused(Target::Agency(AgencyId::of(9), all.clone())), KillSwitchError::NoTarget));
    assert!(matches!(refused(Target::Airline(AirlineId::of(9))), KillSwitchError::NoTarget));
    assert!(matches!(refused(Target::Facility(FacilityId::of(9))), KillSwitchError::NoTarget));
    assert!(matches!(refused(Target::Agency(world.agency, FrozenScopes::default())), KillSwitchError::NoScope));
    world.write(|tx| Ok(set_status(tx, world.agency, AgencyStatus::Closed)?));
    assert!(matches!(refused(Target::Agency(world.agency, all)), KillSwitchError::Closed));
    let unknown = world.two_agree(&Unfreeze { kill_switch_id: "ksw_0000000000009".into() }).unwrap_err();
    assert!(unknown.to_string().contains("is no kill switch"), "{unknown}");
}

fn a_changed_switch_is_found(engine: Engine) {
    let cases = [
        ("UPDATE kill_switch SET scopes = 'api' WHERE agency_id IS NOT NULL", "what of an agency stands still"),
        ("UPDATE airline SET status = 'active'", "an airline and a bank line whose kill switch is on"),
        ("UPDATE facility SET status = 'open'", "an airline and a bank line whose kill switch is on"),
        ("UPDATE approval SET status = 'superseded', result = NULL", "a kill switch was lifted by two"),
    ];
    for (change, rule) in cases {
        let world = World::on(engine);
        let lifted = world.freezes(&[FreezeScope::Api]);
        world.lifts(&lifted).unwrap();
        world.freezes(&[FreezeScope::Issue]);
        world.throws(&Target::Airline(world.airline));
        world.throws(&Target::Facility(world.facility));
        world.adds_up();
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
