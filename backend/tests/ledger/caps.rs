//! How much an airline may owe: at its cap it is not paid ahead, and wallets wait for its money.

use crate::bank::settled;
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::agencies::AirlineReturn;
use airsettle::credit::{Advance, AdvanceState, CapError, CapState, cap_states, set_airline_cap};
use airsettle::ids::{AirlineId, Id, OrderId};
use airsettle::money::Money;
use airsettle::settlement::Purpose;
use airsettle::ticketing::{IssuedOrder, RefundKind, RefundRequest, start_paying};
use chrono::{Duration, NaiveTime};

on_both_engines!(
    at_the_cap_an_advance_waits_for_the_void_window,
    below_the_cap_again_it_leaves_at_once,
    a_line_is_not_closed_by_what_waits,
    a_wallet_waits_for_an_airline_at_its_cap,
    the_alarm_is_given_once_per_crossing,
    a_cap_is_not_negative_and_never_goes_back,
);

impl World {
    pub fn caps(&self, cap: &str) {
        let today = self.today();
        self.write(|tx| Ok(set_airline_cap(tx, self.airline, today, cny(cap))?));
    }

    fn cap_state(&self) -> CapState {
        let today = self.today();
        self.read(|db| cap_states(db, Some(&[self.airline]), today)).pop().unwrap()
    }

    /// As the job that pays does it.
    pub fn disburses(&self, advance: &Advance) -> Option<Advance> {
        self.write(|tx| Ok(start_paying(tx, self.catalogue(), &[advance.id])?)).pop()
    }

    fn starts_paying(&self, order: &IssuedOrder) -> Option<Advance> {
        self.disburses(&self.advance_of(order))
    }

    /// Sold, paid and voided: its airline has to give this back, and nothing is set off.
    fn airline_owes_one_ticket(&self) {
        let order = self.sells(self.order());
        let sent = self.starts_paying(&order).unwrap();
        self.bank_says(&[settled(&sent)]);
        self.voids(&order);
    }

    fn alarms(&self) -> Vec<String> {
        self.texts("SELECT kind AS value FROM event WHERE kind LIKE 'airline_cap.reached%' ORDER BY id")
    }

    fn airline_repays(&self, amount: &str) {
        self.receives(&self.receipt(Purpose::AirlineRepayment(self.airline), amount)).unwrap();
    }
}

/// At noon, and what an airline owes is repaid, not set off.
fn trading(engine: Engine) -> World {
    let world = World::trading(engine);
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap();
    let tomorrow = world.today().succ_opt().unwrap().and_time(noon).and_local_timezone(world.store.zone()).unwrap();
    world.clock.set(airsettle::clock::Timestamp::from(tomorrow.to_utc())).unwrap();
    let on_demand = format!("UPDATE contract SET airline_return = '{}'", AirlineReturn::RepayOnDemand.text());
    world.database.as_owner(&on_demand).unwrap();
    world
}

fn at_the_cap_an_advance_waits_for_the_void_window(engine: Engine) {
    let world = trading(engine);
    world.caps("915.01");
    world.airline_owes_one_ticket();
    assert!(!world.cap_state().is_reached(), "one minor unit is left");
    world.caps("915.00");
    let order = world.sells(world.order());
    assert!(world.starts_paying(&order).is_none());
    let advance = world.advance_of(&order);
    assert_eq!((advance.state, advance.waits_until.is_some()), (AdvanceState::Held, true));
    assert!(advance.detail.unwrap().starts_with("the airline owes 915.00 and may owe 915.00"));
    world.adds_up();
    // It may be voided meanwhile, and then nobody is paid.
    let other = world.sells(world.order());
    assert!(world.starts_paying(&other).is_none());
    world.voids(&other);
    assert_eq!(world.cap_state().owed, cny("915.00"));
    world.time_passes(Duration::hours(13));
    let sent = world.starts_paying(&order).unwrap();
    world.bank_says(&[settled(&sent)]);
    assert_eq!(world.advance_of(&order).state, AdvanceState::Confirmed);
    world.adds_up();
}

fn below_the_cap_again_it_leaves_at_once(engine: Engine) {
    let world = trading(engine);
    world.caps("900.00");
    world.airline_owes_one_ticket();
    let order = world.sells(world.order());
    assert!(world.starts_paying(&order).is_none());
    world.airline_repays("15.00");
    assert!(world.starts_paying(&order).is_none(), "it owes all that it may");
    world.airline_repays("0.01");
    assert!(world.starts_paying(&order).is_some());
    world.adds_up();
}

fn a_line_is_not_closed_by_what_waits(engine: Engine) {
    let world = trading(engine);
    world.caps("0.00");
    let order = world.sells(world.order());
    assert!(world.starts_paying(&order).is_none());
    world.time_passes(Duration::minutes(5));
    world.sells(world.order());
    // Of one that does not wait the age counts.
    world.time_passes(Duration::minutes(5));
    world.refuses(world.order());
    world.adds_up();
}

fn a_wallet_waits_for_an_airline_at_its_cap(engine: Engine) {
    let world = trading(engine);
    world.receives(&world.receipt(Purpose::Capital, "10000.00")).unwrap();
    let order = world.sells(world.order().by_wallet());
    let sent = world.starts_paying(&order).unwrap();
    world.bank_says(&[settled(&sent)]);
    world.caps("0.00");
    let request = RefundRequest {
        order: OrderId::of(order.order.id),
        kind: RefundKind::Involuntary,
        tickets: Vec::new(),
        amount: None,
        reason: Some("a flight that does not leave".to_owned()),
        evidence: Vec::new(),
    };
    let application = world.gives_back(&request);
    assert_eq!(application.row.status, "awaiting_airline_funds");
    let waiting = world.completes(&application);
    assert_eq!(waiting.row.status, "awaiting_airline_funds");
    world.adds_up();
    world.caps("1000000.00");
    assert_eq!(world.completes(&application).row.status, "refunded");
    world.adds_up();
}

fn the_alarm_is_given_once_per_crossing(engine: Engine) {
    let world = trading(engine);
    world.caps("3660.00");
    for _ in 0..2 {
        world.airline_owes_one_ticket();
    }
    assert!(world.alarms().is_empty(), "half of it");
    world.airline_owes_one_ticket();
    assert_eq!(world.alarms(), ["airline_cap.reached_75"]);
    world.airline_owes_one_ticket();
    assert_eq!(world.alarms(), ["airline_cap.reached_75", "airline_cap.reached"]);
    // A little less and the same again is no crossing; five points are.
    world.airline_repays("100.00");
    world.caps("3560.00");
    assert_eq!(world.alarms().len(), 2);
    world.airline_repays("500.00");
    world.caps("3000.00");
    assert_eq!(world.alarms().len(), 3);
    assert_eq!(world.cap_state().percent_used(), 102);
    world.adds_up();
}

fn a_cap_is_not_negative_and_never_goes_back(engine: Engine) {
    let world = trading(engine);
    let today = world.today();
    let set = |airline: AirlineId, from, cap: Money| world.store.write(|tx| set_airline_cap(tx, airline, from, cap).map(drop));
    assert!(matches!(set(world.airline, today, cny("-0.01")), Err(CapError::Cap)));
    assert!(matches!(set(Id::of(9), today, cny("1.00")), Err(CapError::NoAirline)));
    set(world.airline, today + Duration::days(2), cny("1.00")).unwrap();
    assert!(matches!(set(world.airline, today, cny("2.00")), Err(CapError::BeforeLatest { .. })));
    assert!(world.read(|db| cap_states(db, None, today)).is_empty(), "it has not begun");
}
