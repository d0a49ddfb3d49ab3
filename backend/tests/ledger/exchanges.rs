//! Exchanges: other flights for a ticket, which pays for them as far as it goes. The golden case, in every state of the old ticket's advance.

use crate::bank::{accepted, refused, settled, settled_at, silence};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::catalogue::{AirportCode, Cabin, CarrierCode};
use airsettle::commission::RuleBook;
use airsettle::credit::AdvanceState;
use airsettle::ids::{Id, OrderChangeId, OrderId};
use airsettle::money::Money;
use airsettle::ordering::order;
use airsettle::shopping::offer::{OfferSegment, OfferSlice, PricedCoupon, PricedOffer, PricedPassenger, PricedTax};
use airsettle::ticketing::exchange::{
    ChangeError, ChangeOffer, Desk, NewChangeRequest, OrderChangeRow, Removed, SoldJourney, choose_change, confirm_change,
    exchanges_by, keep_change_request, void_change,
};
use airsettle::ticketing::{IssuedOrder, Refusal, TicketRow, issued_orders};
use chrono::{Days, Duration};
use std::collections::BTreeSet;

on_both_engines!(
    the_worked_exchange_of_a_paid_ticket,
    before_the_advance_left_the_old_hold_becomes_a_part_of_the_new_one,
    while_the_old_advance_is_on_its_way_both_wait_for_the_bank,
    an_old_advance_that_fails_later_is_not_paid_again,
    an_even_exchange_moves_no_money,
    a_cheaper_journey_gives_the_difference_back,
    a_wallet_ticket_is_exchanged_out_of_the_wallet,
    an_exchange_of_an_exchange,
    what_the_limit_does_not_cover_is_refused_and_nothing_is_changed,
    a_stale_amount_an_expired_offer_and_a_changed_order_are_refused,
    two_confirmations_exchange_once,
    a_flown_coupon_is_not_given_in,
    an_exchange_taken_back_opens_the_old_coupons_again,
    an_exchange_taken_back_after_both_were_paid_leaves_a_claim_on_the_difference,
    after_the_window_an_exchange_stands,
    an_order_that_was_held_and_paid_is_exchanged_like_any_other,
);

/// What the traveller wants instead.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub fare: Money,
    pub penalty: Money,
}

impl World {
    /// A flight of the catalogue so many days from now, or on one of the days after that.
    pub fn other_flight(&self, in_days: u64) -> OfferSegment {
        let catalogue = self.catalogue();
        let (carrier, origin) = (CarrierCode::parse("CA").unwrap(), AirportCode::parse("PEK").unwrap());
        let flight = catalogue
            .schedules
            .flights()
            .iter()
            .find(|flight| flight.carrier == carrier && flight.origin == origin && flight.destination.as_str() == "SHA");
        let flight = flight.unwrap();
        let (index, _) = catalogue.schedules.find(carrier, flight.number, origin).unwrap();
        let days = (in_days..in_days + 10).filter_map(|days| {
            let date = self.today() + Days::new(days);
            catalogue.schedules.departure(&catalogue.airports, index, date)
        });
        let departure = days.into_iter().next().unwrap();
        OfferSegment {
            carrier: "CA".into(),
            flight_number: flight.number,
            aircraft: flight.aircraft.to_string(),
            origin: "PEK".into(),
            destination: "SHA".into(),
            departing_at: departure.departing_at,
            arriving_at: departure.arriving_at,
            duration_minutes: flight.block_minutes,
            distance_km: 1_075,
            booking_class: 'Y',
            cabin: Cabin::Economy,
        }
    }

    pub fn issued_now(&self, of: &IssuedOrder) -> IssuedOrder {
        self.issued_as(OrderId::of(of.order.id))
    }

    pub fn issued_as(&self, id: OrderId) -> IssuedOrder {
        self.read(|db| {
            let rows = order(db, id)?.into_iter().collect();
            issued_orders(db, rows)
        })
        .pop()
        .unwrap()
    }

    /// Chooses another flight for everybody on the order.
    fn chooses(&self, of: &IssuedOrder, wanted: Wanted) -> OrderChangeRow {
        self.chooses_flight(&self.issued_now(of), wanted, self.other_flight(10))
    }

    fn chooses_flight(&self, issued: &IssuedOrder, wanted: Wanted, segment: OfferSegment) -> OrderChangeRow {
        self.chooses_because(issued, wanted, segment, None)
    }

    /// The same, it may be because of what the airline has changed.
    pub fn chooses_because(
        &self,
        issued: &IssuedOrder,
        wanted: Wanted,
        segment: OfferSegment,
        waived_by: Option<i64>,
    ) -> OrderChangeRow {
        let sold = SoldJourney::of(self.catalogue(), issued).unwrap();
        let passenger = |old: &PricedPassenger| PricedPassenger {
            coupons: vec![PricedCoupon {
                fare_basis: "Y".into(),
                base_minor: wanted.fare.minor,
                checked_bag_kg: 20,
                carry_on: None,
                private_fare: None,
            }],
            base_minor: wanted.fare.minor,
            taxes: vec![PricedTax { code: "CN".into(), minor: 5_000, payee: "CAAC".into() }],
            ..old.clone()
        };
        let slice = OfferSlice {
            origin: "PEK".into(),
            destination: "SHA".into(),
            fare_brand: "Economy Flex".into(),
            segments: vec![segment],
        };
        let passengers: Vec<PricedPassenger> = sold.journey.passengers.iter().map(passenger).collect();
        let given_in = sold.journey.passengers.iter().map(|one| one.total(wanted.fare.currency).unwrap().minor);
        let offer = ChangeOffer {
            added: vec![0],
            penalties_minor: vec![wanted.penalty.minor; passengers.len()],
            given_in_minor: given_in.collect(),
            journey: PricedOffer { slices: vec![slice], passengers, ..sold.journey.clone() },
        };
        let new = NewChangeRequest {
            order: OrderId::of(issued.order.id),
            agency: Id::of(issued.order.agency_id),
            removed: Removed { journey: sold.journey, slices: BTreeSet::from([0]), waived_by },
            added: Vec::new(),
            offers: vec![offer],
            expires_at: self.clock.now().plus(Duration::minutes(30)),
        };
        self.write(|tx| {
            let request = keep_change_request(tx, new)?;
            Ok(choose_change(tx, &self.cause(), request.offer_id(0))?)
        })
    }

    pub fn confirms_change(&self, change: &OrderChangeRow, paid: Option<Money>) -> Result<OrderChangeRow, ChangeError> {
        let desk = Desk { catalogue: self.catalogue(), chart: &self.chart, rules: &RuleBook::default() };
        self.store.write(|tx| confirm_change(tx, desk, &self.cause(), OrderChangeId::of(change.id), paid))
    }

    /// Chooses and confirms an exchange that must succeed; answers the new ticket's number.
    fn exchanges(&self, of: &IssuedOrder, wanted: Wanted) -> OrderChangeRow {
        let change = self.chooses(of, wanted);
        let due = (change.change_minor > 0).then(|| cny(&Money::new(change.change_minor, wanted.fare.currency).to_string()));
        self.confirms_change(&change, due).unwrap()
    }

    pub fn voids_change(&self, change: &OrderChangeRow) -> Result<OrderChangeRow, ChangeError> {
        self.store.write(|tx| void_change(tx, self.catalogue(), &self.cause(), OrderChangeId::of(change.id)))
    }

    fn new_ticket(&self, change: &OrderChangeRow, of: &IssuedOrder) -> TicketRow {
        let made = self.read(|db| exchanges_by(db, OrderChangeId::of(change.id))).pop().unwrap();
        self.issued_now(of).tickets.into_iter().find(|ticket| ticket.id == made.ticket_id).unwrap()
    }

    fn each_status(&self) -> Vec<String> {
        self.texts("SELECT status AS value FROM coupon ORDER BY id")
    }
}

/// To fare 1150, penalty 50.
fn dearer() -> Wanted {
    Wanted { fare: cny("1150.00"), penalty: cny("50.00") }
}

const DEPOSITED: [&str; 2] = ["agency.deposit 5000.00", "platform.cash[client] 5000.00"];

fn world_on(engine: Engine) -> World {
    let world = World::on(engine);
    world.lodges_deposit("5000.00");
    world
}

fn paid(world: &World, order: &IssuedOrder) {
    let sent = world.sends(&world.advance_of(order)).unwrap();
    world.bank_says(&[settled(&sent)]);
}

fn the_worked_exchange_of_a_paid_ticket(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    let before = world.exposure();
    let change = world.exchanges(&order, dearer());
    assert_eq!((change.new_total_minor, change.penalty_minor, change.change_minor), (120_000, 5_000, 25_000));
    let [deposit, cash] = DEPOSITED;
    let balances = [
        deposit,
        "agency.receivable 1250.00",
        "agency.commission 36.00",
        "airline.payable 243.00",
        "authority.tax[CAAC/CN] 50.00",
        "bank.loan 915.00",
        cash,
        "platform.fee_income 6.00",
    ];
    assert_eq!(world.balances(), balances);
    assert_eq!(world.line().held, cny("243.00"), "one hold of the difference");
    assert_eq!(world.exposure().checked_sub(before).unwrap(), cny("244.00"), "agency +250, commission +6");
    assert_eq!(world.each_status(), ["E", "O"]);
    let issued = world.issued_now(&order);
    assert_eq!((issued.order.total_minor, issued.tickets.len()), (120_000, 2));
    world.adds_up();

    let advance = world.advances().pop().unwrap();
    assert_eq!((advance.amount, advance.set_off, advance.outstanding()), (cny("1158.00"), cny("915.00"), cny("243.00")));
    let sent = world.sends(&advance).unwrap();
    world.bank_says(&[settled_at(&sent, cny("243.00"))]);
    assert_eq!((world.line().drawn, world.line().held), (cny("1158.00"), cny("0.00")), "one draw of the difference");
    world.adds_up();
}

fn before_the_advance_left_the_old_hold_becomes_a_part_of_the_new_one(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    world.exchanges(&order, dearer());
    assert_eq!((world.line().held, world.line().drawn), (cny("1158.00"), cny("0.00")));
    assert_eq!(world.line().facility.unconfirmed, 1);
    assert!(world.balances().contains(&"airline.payable 1158.00".to_owned()), "{:?}", world.balances());
    let old = world.advance_of(&order);
    assert_eq!((old.state, old.cancelled), (AdvanceState::Cancelled, cny("915.00")));
    assert!(world.sends(&old).is_none(), "nothing is paid for the old ticket");
    world.adds_up();
    let new = world.advances().pop().unwrap();
    let sent = world.sends(&new).unwrap();
    world.bank_says(&[settled_at(&sent, cny("1158.00"))]);
    assert_eq!((world.line().drawn, world.line().facility.unconfirmed), (cny("1158.00"), 0));
    world.adds_up();
}

fn while_the_old_advance_is_on_its_way_both_wait_for_the_bank(engine: Engine) {
    for word in [accepted, silence] {
        let world = world_on(engine);
        let order = world.sells(world.order());
        let old = world.sends(&world.advance_of(&order)).unwrap();
        world.bank_says(&[word(&old)]);
        world.exchanges(&order, dearer());
        assert_eq!(world.line().held, cny("2073.00"), "915 stays, and 1158 is held anew");
        world.adds_up();
        world.bank_says(&[settled(&old)]);
        assert_eq!(world.numbers("SELECT amount_minor AS value FROM airline_claim"), [91_500], "the airline gives it back");
        world.adds_up();
        // By the job, as the contract says.
        let sent = world.sends(&world.advances().pop().unwrap()).unwrap();
        assert_eq!(sent.outstanding(), cny("243.00"));
        world.bank_says(&[settled_at(&sent, cny("243.00"))]);
        assert_eq!((world.line().drawn, world.line().held), (cny("1158.00"), cny("0.00")));
        world.adds_up();
    }
}

fn an_old_advance_that_fails_later_is_not_paid_again(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let old = world.sends(&world.advance_of(&order)).unwrap();
    world.exchanges(&order, dearer());
    world.bank_says(&[refused(&old)]);
    assert_eq!(world.advance_of(&order).state, AdvanceState::Cancelled);
    assert_eq!(world.line().held, cny("1158.00"));
    world.adds_up();
}

fn an_even_exchange_moves_no_money(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    let before = world.balances();
    let change = world.exchanges(&order, Wanted { fare: cny("950.00"), penalty: cny("0.00") });
    assert_eq!(change.change_minor, 0);
    assert_eq!(world.balances(), before);
    let new = world.advances().pop().unwrap();
    assert_eq!((new.state, new.set_off), (AdvanceState::SetOff, cny("915.00")));
    assert_eq!(world.line().held, cny("0.00"));
    assert!(world.sends(&new).is_none());
    world.adds_up();
}

fn a_cheaper_journey_gives_the_difference_back(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    // 500 + 50: commission 16.50, fee 2.75, airline 480.75.
    let change = world.exchanges(&order, Wanted { fare: cny("500.00"), penalty: cny("0.00") });
    assert_eq!(change.change_minor, -45_000);
    let [deposit, cash] = DEPOSITED;
    let balances = [
        deposit,
        "agency.receivable 550.00",
        "agency.commission 16.50",
        "airline.receivable 434.25",
        "authority.tax[CAAC/CN] 50.00",
        "bank.loan 915.00",
        cash,
        "platform.fee_income 2.75",
    ];
    assert_eq!(world.balances(), balances);
    world.adds_up();
    assert!(matches!(world.voids_change(&change), Err(ChangeError::GaveBack)));
}

fn a_wallet_ticket_is_exchanged_out_of_the_wallet(engine: Engine) {
    for is_paid in [true, false] {
        let world = World::on(engine);
        world.tops_up(world.prepaid, "2000.00");
        let order = world.sells(world.order().by_wallet());
        if is_paid {
            paid(&world, &order);
        }
        assert_eq!(world.standing(world.prepaid).wallet, cny("1030.00"));
        let change = world.exchanges(&order, dearer());
        // 1200 - 36 and the penalty 50, less 1000 - 30.
        assert_eq!(world.standing(world.prepaid).wallet, cny("786.00"));
        world.adds_up();
        let sent = world.sends(&world.advances().pop().unwrap()).unwrap();
        let due = if is_paid { "243.00" } else { "1158.00" };
        world.bank_says(&[settled_at(&sent, cny(due))]);
        assert!(world.balances().contains(&"platform.cash[client] 842.00".to_owned()), "2000 - 1158: {:?}", world.balances());
        world.adds_up();
        assert!(change.confirmed_at.is_some());
    }
}

fn an_exchange_of_an_exchange(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    world.exchanges(&order, dearer());
    let sent = world.sends(&world.advances().pop().unwrap()).unwrap();
    world.bank_says(&[settled_at(&sent, cny("243.00"))]);
    let last = world.exchanges(&order, Wanted { fare: cny("1350.00"), penalty: cny("50.00") });
    assert_eq!((last.new_total_minor, last.change_minor), (140_000, 25_000));
    assert_eq!(world.each_status(), ["E", "E", "O"]);
    // The airline keeps the first penalty: 915 + 243 paid, 1108 of it given in, 1301 + 50 due now... 1400 less 50, 42 and 7.
    assert_eq!(world.line().held, cny("243.00"));
    assert_eq!(world.exposure(), cny("1458.00"), "1000 + 250 + 250 less 42 of commission");
    world.adds_up();
}

fn what_the_limit_does_not_cover_is_refused_and_nothing_is_changed(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1200.00");
    let order = world.sells(world.order());
    paid(&world, &order);
    let change = world.chooses(&order, dearer());
    let before = world.row_counts();
    let balances = world.balances();
    match world.confirms_change(&change, Some(cny("250.00"))) {
        Err(ChangeError::Refused(Refusal::LimitExceeded { short_minor, .. })) => {
            assert_eq!(short_minor, 1_400, "970 + 244 of 1200")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((world.row_counts(), world.balances()), (before, balances));
    assert_eq!(world.each_status(), ["O"]);
    world.lodges_deposit("14.00");
    world.confirms_change(&change, Some(cny("250.00"))).unwrap();
    world.adds_up();
}

fn a_stale_amount_an_expired_offer_and_a_changed_order_are_refused(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let change = world.chooses(&order, dearer());
    for wrong in [None, Some(cny("249.99")), Some(cny("0.00"))] {
        assert!(matches!(world.confirms_change(&change, wrong), Err(ChangeError::AmountDiffers { .. })), "{wrong:?}");
    }
    let other = world.chooses(&order, dearer());
    world.confirms_change(&other, Some(cny("250.00"))).unwrap();
    assert!(matches!(world.confirms_change(&change, Some(cny("250.00"))), Err(ChangeError::OrderChanged)));
    let late = world.chooses(&order, dearer());
    world.time_passes(Duration::minutes(30));
    assert!(matches!(world.confirms_change(&late, Some(cny("50.00"))), Err(ChangeError::Expired { .. })));
    assert_eq!(world.each_status(), ["E", "O"]);
    world.adds_up();
}

fn two_confirmations_exchange_once(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let change = world.chooses(&order, dearer());
    let first = world.confirms_change(&change, Some(cny("250.00"))).unwrap();
    world.time_passes(Duration::hours(1));
    assert_eq!(world.confirms_change(&change, Some(cny("250.00"))).unwrap(), first);
    assert_eq!(world.tickets(), 2);
    world.adds_up();
}

fn a_flown_coupon_is_not_given_in(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let change = world.chooses(&order, dearer());
    world.database.as_owner("UPDATE coupon SET status = 'F'").unwrap();
    assert!(matches!(world.confirms_change(&change, Some(cny("250.00"))), Err(ChangeError::NotPermitted(_))));
    assert_eq!(world.tickets(), 1);
}

fn an_exchange_taken_back_opens_the_old_coupons_again(engine: Engine) {
    for is_paid in [true, false] {
        let world = world_on(engine);
        let order = world.sells(world.order());
        if is_paid {
            paid(&world, &order);
        }
        let (before, held) = (world.balances(), world.line().held);
        let change = world.exchanges(&order, dearer());
        let voided = world.voids_change(&change).unwrap();
        assert!(voided.voided_at.is_some());
        assert_eq!(world.balances(), before);
        assert_eq!(world.line().held, held);
        assert_eq!(world.each_status(), ["O", "V"]);
        assert_eq!(world.issued_now(&order).order.total_minor, 100_000);
        assert_eq!(world.voids_change(&change).unwrap(), voided, "taken back once");
        world.adds_up();
        // And it can be exchanged again.
        world.exchanges(&order, dearer());
        assert_eq!(world.each_status(), ["E", "V", "O"]);
        world.adds_up();
    }
}

fn an_exchange_taken_back_after_both_were_paid_leaves_a_claim_on_the_difference(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    let change = world.exchanges(&order, dearer());
    let sent = world.sends(&world.advances().pop().unwrap()).unwrap();
    world.bank_says(&[settled_at(&sent, cny("243.00"))]);
    world.voids_change(&change).unwrap();
    let balances = world.balances();
    for line in ["airline.receivable 243.00", "bank.loan 1158.00", "agency.receivable 1000.00", "agency.commission 30.00"] {
        assert!(balances.contains(&line.to_owned()), "{line}: {balances:?}");
    }
    world.adds_up();
}

fn after_the_window_an_exchange_stands(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let change = world.exchanges(&order, dearer());
    let number = world.new_ticket(&change, &order).number;
    assert!(number.starts_with("999"));
    world.time_passes(Duration::days(1));
    assert!(matches!(world.voids_change(&change), Err(ChangeError::VoidWindowClosed { .. })));
    assert_eq!(world.each_status(), ["E", "O"]);
    world.adds_up();
}

fn an_order_that_was_held_and_paid_is_exchanged_like_any_other(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let paid = world.sells(world.order().paying(&held));
    let change = world.exchanges(&paid, Wanted { fare: cny("1150.00"), penalty: cny("50.00") });
    world.adds_up();
    assert_eq!(world.numbers("SELECT amount_minor AS value FROM order_payment"), [100_000], "what was paid for the hold stays");
    world.voids_change(&change).unwrap();
    world.adds_up();
}
