//! Several bank lines: which one pays, what it costs on which day, and what is put right when something is dated back.

use crate::bank::{said, settled};
use crate::database::Engine;
use crate::world::{World, cny, line, rate};
use airsettle::audit::Actor;
use airsettle::clock::Timestamp;
use airsettle::credit::{
    Accrual, Availability, BankSaid, Base, BaseRateError, CorrectionRow, FacilityError, NewBaseRate, NewFacility, Statement,
    accrue, corrections, facility, open_facility, publish_rate, set_availability, set_facility_limit, set_sublimit, statement,
};
use airsettle::db::Window;
use airsettle::ids::{AirlineId, FacilityId};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{NewPayment, PaymentError, PaymentPurpose, Purpose, record_payment};
use airsettle::ticketing::{IssuedOrder, Refusal};
use chrono::{Days, Duration, NaiveDate, NaiveTime};

on_both_engines!(
    the_cheapest_line_pays_then_the_emptiest_then_the_oldest,
    a_commitment_fee_that_is_saved_makes_a_line_cheaper,
    a_line_takes_holds_only_while_it_is_available,
    a_sublimit_stops_one_airline_only,
    a_sublimit_counts_voids_and_repayments,
    a_rate_that_is_published_holds_from_its_day,
    rates_do_not_overlap,
    a_line_without_a_published_rate_is_not_opened,
    the_commitment_fee_is_on_what_is_not_drawn,
    a_repayment_dated_back_gives_interest_back,
    interest_that_was_paid_before_is_owed_by_the_bank,
    no_more_is_repaid_than_was_drawn_by_then,
    a_draw_that_is_heard_of_days_later_costs_from_its_value_date,
    a_rate_that_is_published_late_is_put_right,
    what_is_dated_back_over_a_late_rate_is_put_right_once,
    a_forged_correction_is_found,
);

impl World {
    fn opens(&self, name: &str, limit: &str, changed: impl FnOnce(&mut NewFacility)) -> FacilityId {
        let bank = self.line().facility.bank;
        let mut new = line(bank, name, limit);
        changed(&mut new);
        self.write(|tx| Ok(open_facility(tx, new)?.id))
    }

    fn line_of(&self, order: &IssuedOrder) -> FacilityId {
        self.advance_of(order).facility.unwrap()
    }

    fn sold_on(&self) -> FacilityId {
        self.line_of(&self.sells(self.order()))
    }

    fn publishes(&self, name: &str, from: NaiveDate, percent: &str) -> Result<(), BaseRateError> {
        let new = NewBaseRate { currency: Currency::CNY, name: name.into(), effective_from: from, rate: rate(percent) };
        self.store.write(|tx| publish_rate(tx, Actor::platform(), &new).map(drop))
    }

    pub fn accrues_on(&self, facility: FacilityId) -> Vec<Accrual> {
        accrue(&self.store, Actor::platform(), facility, Currency::CNY, None).unwrap()
    }

    fn corrections_of(&self, facility: FacilityId) -> Vec<CorrectionRow> {
        self.read(|db| corrections(db, facility, Window::NEWEST, 100))
    }

    fn used(&self) -> Money {
        self.line().facility.sublimits[0].used
    }

    fn sublimits(&self, limit: &str) {
        self.write(|tx| Ok(set_sublimit(tx, self.facility, self.airline, cny(limit))?));
    }

    /// Sold, and paid at once.
    fn draws(&self) -> IssuedOrder {
        let order = self.sells(self.order());
        let sent = self.sends(&self.advance_of(&order)).unwrap();
        self.bank_says(&[settled(&sent)]);
        order
    }

    fn repays(&self, facility: FacilityId, principal: &str, interest: &str, days_back: u64) -> Result<(), PaymentError> {
        let purpose = PaymentPurpose::FacilityRepayment { facility, principal: cny(principal), interest: cny(interest) };
        let value_date = self.today() - Days::new(days_back);
        let new = NewPayment { purpose, value_date, bank_reference: format!("OUT-{}", self.store.ids().block(1)) };
        self.store.write(|tx| record_payment(tx, Actor::platform(), &new).map(drop))
    }

    fn days_pass(&self, days: i64) {
        self.time_passes(Duration::days(days));
    }

    fn interest_owed(&self) -> String {
        let line = self.balances().into_iter().find(|line| line.starts_with("bank.interest"));
        line.map_or_else(|| "0.00".into(), |line| line.split(' ').nth(1).unwrap().to_owned())
    }

    fn statement_of(&self, facility_id: FacilityId, from: NaiveDate) -> Statement {
        let today = self.today();
        let read = self.store.read(|db| {
            let line = facility(db, facility_id, today)?.unwrap().facility;
            statement(db, &line, from, today)
        });
        read.unwrap()
    }
}

/// Noon, so that no midnight passes by itself.
fn trading(engine: Engine) -> World {
    let world = World::trading(engine);
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap();
    let tomorrow = world.today().succ_opt().unwrap().and_time(noon).and_local_timezone(world.store.zone()).unwrap();
    world.clock.set(Timestamp::from(tomorrow.to_utc())).unwrap();
    world.receives(&world.receipt(Purpose::Capital, "100000.00")).unwrap();
    world
}

fn the_cheapest_line_pays_then_the_emptiest_then_the_oldest(engine: Engine) {
    let world = trading(engine);
    let dear = world.opens("Dear", "9000000.00", |new| new.base = Base::Fixed(rate("0.05")));
    let cheap = world.opens("Cheap", "915.00", |new| new.base = Base::Fixed(rate("0.01")));
    assert_eq!(world.sold_on(), cheap);
    assert_eq!(world.sold_on(), world.facility, "the cheap one is full");
    let roomy = world.opens("Roomy", "2000000.00", |_| ());
    assert_eq!(world.sold_on(), roomy, "at the same cost the one with most headroom");
    world.write(|tx| Ok(set_facility_limit(tx, roomy, cny("1000000.00"))?));
    assert_eq!(world.sold_on(), world.facility, "at the same cost and headroom the oldest");
    world.write(|tx| Ok(set_facility_limit(tx, roomy, cny("0.00"))?));
    world.sets_facility_limit("0.00");
    assert_eq!(world.sold_on(), dear);
    // A year of 360 days makes every day dearer.
    world.sets_facility_limit("1000000.00");
    let long_year = world.opens("Long year", "1000000.00", |new| new.day_count = "ACT/365F".into());
    assert_eq!(world.sold_on(), long_year);
    world.adds_up();
}

fn a_commitment_fee_that_is_saved_makes_a_line_cheaper(engine: Engine) {
    let world = trading(engine);
    let committed = world.opens("Committed", "1000.00", |new| new.commitment_rate = rate("0.001"));
    assert_eq!(world.sold_on(), committed);
    world.adds_up();
}

fn a_line_takes_holds_only_while_it_is_available(engine: Engine) {
    let world = trading(engine);
    let today = world.today();
    let order = world.draws();
    let closed = |reason: &str| Refusal::FacilityClosed { reason: reason.to_owned() };
    let set = |from, until| world.store.write(|tx| set_availability(tx, world.facility, Availability { from, until }).map(drop));
    set(Some(today + Days::new(2)), None).unwrap();
    assert_eq!(world.refuses(world.order()), closed("its availability period has not begun"));
    set(None, Some(today + Days::new(1))).unwrap();
    world.sells(world.order());
    world.days_pass(2);
    assert_eq!(world.refuses(world.order()), closed("its availability period is over"));
    let backwards = set(Some(today), Some(today - Days::new(1)));
    assert!(matches!(backwards, Err(FacilityError::Availability)), "{backwards:?}");
    // What is drawn stays, costs interest and is repaid.
    assert_eq!(world.line_of(&order), world.facility);
    assert_eq!(world.accrues_on(world.facility).len(), 2);
    world.repays(world.facility, "915.00", "0.30", 0).unwrap();
    world.adds_up();
}

fn a_sublimit_stops_one_airline_only(engine: Engine) {
    let world = trading(engine);
    world.sublimits("1830.00");
    world.sells(world.order().tickets(2));
    let exhausted = Refusal::FacilityExhausted { short_minor: 91_500, currency: "CNY".into() };
    assert_eq!(world.refuses(world.order()), exhausted);
    // Another line has room for it, if it is not the cheapest.
    let other = world.opens("Other", "1000.00", |new| new.base = Base::Fixed(rate("0.09")));
    assert_eq!(world.sold_on(), other);
    // Lowered below what is used it only stops; raised it goes on.
    world.sublimits("0.00");
    assert_eq!((world.used(), world.line().held), (cny("1830.00"), cny("1830.00")));
    world.sublimits("2745.00");
    assert_eq!(world.sold_on(), world.facility);
    let unknown = world.store.write(|tx| set_sublimit(tx, world.facility, airline_of_nobody(), cny("1.00")).map(drop));
    assert!(matches!(unknown, Err(FacilityError::NoAirline)), "{unknown:?}");
    let negative = world.store.write(|tx| set_sublimit(tx, world.facility, world.airline, cny("-0.01")).map(drop));
    assert!(matches!(negative, Err(FacilityError::Limit)), "{negative:?}");
    world.adds_up();
}

fn airline_of_nobody() -> AirlineId {
    airsettle::ids::Id::of(9)
}

fn a_sublimit_counts_voids_and_repayments(engine: Engine) {
    let world = trading(engine);
    world.draws();
    // It begins with what is drawn and held already.
    world.sublimits("5000.00");
    assert_eq!(world.used(), cny("915.00"));
    let order = world.sells(world.order());
    assert_eq!(world.used(), cny("1830.00"));
    world.voids(&order);
    assert_eq!(world.used(), cny("915.00"));
    world.repays(world.facility, "415.00", "0.00", 0).unwrap();
    assert_eq!(world.used(), cny("500.00"));
    world.draws();
    // The oldest draw is repaid first.
    world.repays(world.facility, "600.00", "0.00", 0).unwrap();
    assert_eq!(world.used(), cny("815.00"));
    world.adds_up();
    world.database.as_owner("UPDATE facility_sublimit SET used_minor = used_minor + 1").unwrap();
    assert!(world.sale_fault().is_some_and(|fault| fault.rule.starts_with("a sub-limit counts")));
}

fn published(engine: Engine) -> (World, FacilityId) {
    let world = trading(engine);
    world.publishes("LPR-1D", world.today(), "0.04").unwrap();
    world.sets_facility_limit("0.00");
    let line = world.opens("Floating", "1000000.00", |new| new.base = Base::Published("LPR-1D".into()));
    (world, line)
}

fn a_rate_that_is_published_holds_from_its_day(engine: Engine) {
    let (world, line) = published(engine);
    let first = world.today();
    assert_eq!(world.line_of(&world.draws()), line);
    // Published ahead: it changes nothing before its day.
    world.publishes("LPR-1D", first + Days::new(2), "0.10").unwrap();
    world.days_pass(4);
    let made = world.accrues_on(line);
    let rates: Vec<i64> = made.iter().map(|day| day.rate_e8).collect();
    assert_eq!(rates, [6_000_000, 6_000_000, 12_000_000, 12_000_000]);
    // 915.00 x (2 x 6 % + 2 x 12 %) / 360 = 0.915
    assert_eq!(made.last().unwrap().total_booked, cny("0.92"));
    let statement = world.statement_of(line, first);
    assert_eq!((statement.opening, statement.closing), (cny("0.00"), cny("915.00")));
    assert_eq!((statement.days[0].draws, statement.days[0].drawn), (1, cny("915.00")));
    assert!(statement.days[4].accrued.is_none());
    assert!(statement.corrections.is_empty());
    world.adds_up();
}

fn rates_do_not_overlap(engine: Engine) {
    let (world, _) = published(engine);
    let today = world.today();
    for from in [today, today - Days::new(3)] {
        let refused = world.publishes("LPR-1D", from, "0.05");
        assert!(matches!(refused, Err(BaseRateError::Overlaps { from }) if from == today), "{refused:?}");
    }
    for percent in ["-0.01", "1.01", "0.000000001"] {
        let refused = world.publishes("LPR-1D", today + Days::new(1), percent);
        assert!(matches!(refused, Err(BaseRateError::Rate)), "{percent} {refused:?}");
    }
    world.publishes("SHIBOR-ON", today, "0.02").unwrap();
    world.adds_up();
}

fn a_line_without_a_published_rate_is_not_opened(engine: Engine) {
    let world = trading(engine);
    world.publishes("LPR-1D", world.today() + Days::new(1), "0.04").unwrap();
    let bank = world.line().facility.bank;
    for name in ["LPR-1D", "nothing"] {
        let new = NewFacility { base: Base::Published(name.into()), ..line(bank, "X", "1.00") };
        let refused = world.store.write(|tx| open_facility(tx, new).map(drop));
        assert!(matches!(refused, Err(FacilityError::NoBaseRate(_))), "{name} {refused:?}");
    }
}

fn the_commitment_fee_is_on_what_is_not_drawn(engine: Engine) {
    let world = trading(engine);
    world.sets_facility_limit("0.00");
    let line = world.opens("Committed", "100000.00", |new| new.commitment_rate = rate("0.0036"));
    world.days_pass(1);
    world.draws();
    world.days_pass(1);
    world.write(|tx| Ok(set_facility_limit(tx, line, cny("50000.00"))?));
    world.days_pass(2);
    let made = world.accrues_on(line);
    let undrawn: Vec<Money> = made.iter().map(|day| day.undrawn).collect();
    assert_eq!(undrawn, ["100000.00", "99085.00", "49085.00", "49085.00"].map(cny));
    // 0.36 % / 360 is a hundred-thousandth a day: 1.00, then 1.99085, 2.48170, 2.97255 in all.
    let fees: Vec<Money> = made.iter().map(|day| day.commitment).collect();
    assert_eq!(fees, ["1.00", "0.99", "0.49", "0.49"].map(cny));
    // 3 days of 915.00 at 6 %: 0.4575
    assert_eq!(made.last().unwrap().total_booked, cny("0.46"));
    assert_eq!(world.interest_owed(), "3.43");
    world.adds_up();
    // Lowered below what is drawn, nothing is undrawn.
    world.write(|tx| Ok(set_facility_limit(tx, line, cny("0.00"))?));
    world.days_pass(1);
    assert_eq!(world.accrues_on(line)[0].undrawn, cny("0.00"));
    // The bank was repaid two days ago: interest comes back, and the fee of those days is on more.
    world.write(|tx| Ok(set_facility_limit(tx, line, cny("50000.00"))?));
    world.repays(line, "915.00", "0.00", 2).unwrap();
    let corrected = &world.corrections_of(line)[0];
    assert_eq!((corrected.booked_minor, corrected.commitment_booked_minor), (-31, 1));
    world.adds_up();
}

fn a_repayment_dated_back_gives_interest_back(engine: Engine) {
    let world = trading(engine);
    world.draws();
    world.days_pass(10);
    world.accrues_on(world.facility);
    assert_eq!(world.interest_owed(), "1.52");
    // The bank counts seven days: 1.07.
    world.repays(world.facility, "915.00", "1.07", 3).unwrap();
    assert_eq!(world.interest_owed(), "0.00");
    let found = world.corrections_of(world.facility);
    assert_eq!((found.len(), found[0].booked_minor, found[0].moved_minor), (1, -45, -91_500));
    assert_eq!(found[0].until_day - found[0].from_day, Duration::days(3));
    world.days_pass(2);
    assert_eq!(world.accrues_on(world.facility).last().unwrap().total_booked, cny("1.07"));
    world.adds_up();
}

fn interest_that_was_paid_before_is_owed_by_the_bank(engine: Engine) {
    let world = trading(engine);
    world.draws();
    world.days_pass(10);
    world.accrues_on(world.facility);
    world.repays(world.facility, "0.01", "1.52", 0).unwrap();
    world.repays(world.facility, "914.99", "0.00", 3).unwrap();
    assert_eq!(world.interest_owed(), "-0.45");
    let more = world.repays(world.facility, "0.00", "0.01", 0);
    assert!(
        matches!(more, Err(PaymentError::MoreThanOwed { field: "interest_amount", owed }) if owed == cny("0.00")),
        "{more:?}"
    );
    world.adds_up();
}

fn no_more_is_repaid_than_was_drawn_by_then(engine: Engine) {
    let world = trading(engine);
    world.draws();
    world.days_pass(3);
    world.draws();
    world.days_pass(1);
    let rows = world.row_counts();
    let too_much = world.repays(world.facility, "915.01", "0.00", 2);
    assert!(
        matches!(too_much, Err(PaymentError::MoreThanOwed { field: "principal_amount", owed }) if owed == cny("915.00")),
        "{too_much:?}"
    );
    assert!(matches!(world.repays(world.facility, "0.01", "0.00", 5), Err(PaymentError::MoreThanOwed { .. })));
    assert!(matches!(world.repays(world.facility, "0.01", "0.00", 400), Err(PaymentError::OldValueDate)));
    assert_eq!(world.row_counts(), rows);
    world.repays(world.facility, "915.00", "0.00", 2).unwrap();
    // The rest was drawn after that.
    assert!(matches!(world.repays(world.facility, "915.00", "0.00", 2), Err(PaymentError::MoreThanOwed { .. })));
    world.adds_up();
}

fn a_draw_that_is_heard_of_days_later_costs_from_its_value_date(engine: Engine) {
    let world = trading(engine);
    let order = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.days_pass(1);
    let credited_at = world.clock.now();
    world.days_pass(6);
    world.accrues_on(world.facility);
    let bank_reference = "B-late".to_owned();
    world.bank_says(&[said(&sent, BankSaid::Settled { amount: sent.amount, credited_at, bank_reference })]);
    // Six days of 915.00 at 6 %.
    assert_eq!(world.interest_owed(), "0.92");
    let found = world.corrections_of(world.facility);
    assert_eq!((found.len(), found[0].cause.as_str(), found[0].booked_minor), (1, "draw", 92));
    world.days_pass(1);
    assert_eq!(world.accrues_on(world.facility).last().unwrap().total_booked, cny("1.07"));
    world.adds_up();
}

fn a_rate_that_is_published_late_is_put_right(engine: Engine) {
    let (world, line) = published(engine);
    let first = world.today();
    world.draws();
    world.days_pass(5);
    assert_eq!(world.accrues_on(line).last().unwrap().total_booked, cny("0.76"));
    world.publishes("LPR-1D", first + Days::new(2), "0.10").unwrap();
    // Two days at 6 % and three at 12 %: 0.305 + 0.915 = 1.22
    assert_eq!(world.interest_owed(), "1.22");
    world.days_pass(1);
    assert_eq!(world.accrues_on(line).last().unwrap().total_booked, cny("1.52"));
    world.adds_up();
}

fn what_is_dated_back_over_a_late_rate_is_put_right_once(engine: Engine) {
    let (world, line) = published(engine);
    let first = world.today();
    world.draws();
    world.days_pass(4);
    // Nothing is accrued yet, and two of these days are taken back before the rate is known.
    world.repays(line, "915.00", "0.00", 2).unwrap();
    world.publishes("LPR-1D", first + Days::new(1), "0.10").unwrap();
    world.days_pass(1);
    // One day at 6 % and one at 12 %.
    world.accrues_on(line);
    assert_eq!(world.interest_owed(), "0.46");
    world.adds_up();
}

fn a_forged_correction_is_found(engine: Engine) {
    let world = trading(engine);
    world.draws();
    world.days_pass(3);
    world.repays(world.facility, "915.00", "0.00", 1).unwrap();
    world.adds_up();
    world.database.as_owner("UPDATE bank_payment SET value_date = '2020-01-01'").unwrap();
    assert!(world.sale_fault().is_some_and(|fault| fault.rule.starts_with("a movement that is dated back")));
}
