//! What follows the sale: remittances, interest, the bank and the authorities paid, earnings swept.

use crate::bank::settled;
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::agencies::{Cycle, cycle_of};
use airsettle::audit::Actor;
use airsettle::credit::{Accrual, AccrualError, Confirmation, TransferError, accrue, sweep};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{NewPayment, Payment, PaymentError, PaymentPurpose, Purpose, ReceiptError, Recorded, record_payment};
use airsettle::ticketing::IssuedOrder;
use chrono::{Days, Duration, NaiveDate};

on_both_engines!(
    the_worked_case_closes_at_3_93,
    the_worked_case_from_the_wallet_closes_at_5_00,
    interest_of_7_15_30_and_33_days,
    a_day_is_accrued_once_and_only_when_it_is_over,
    missed_days_are_made_up_with_the_balance_that_they_had,
    a_year_of_365_days_and_a_leap_day,
    a_cycle_paid_in_parts_ends_at_zero,
    what_is_paid_too_much_stays_as_a_credit,
    a_cycle_in_which_nothing_was_sold_is_not_paid,
    nothing_is_paid_that_is_not_owed,
    the_same_bank_reference_is_the_same_payment,
    only_earned_money_is_swept,
);

impl World {
    fn cycle(&self) -> Cycle {
        Cycle::parse(&cycle_of(self.today())).unwrap()
    }

    pub fn remits(&self, amount: &str, cycle: Cycle) -> Result<airsettle::settlement::Receipt, ReceiptError> {
        self.receives(&self.receipt(Purpose::Remittance(self.agency, cycle), amount))
    }

    pub fn accrues(&self, through: Option<NaiveDate>) -> Result<Vec<Accrual>, AccrualError> {
        accrue(&self.store, Actor::platform(), self.facility, Currency::CNY, through)
    }

    pub fn pays(&self, purpose: PaymentPurpose) -> Result<Payment, PaymentError> {
        self.pays_back(purpose, 0)
    }

    /// With a value date so many days back.
    pub fn pays_back(&self, purpose: PaymentPurpose, days: u64) -> Result<Payment, PaymentError> {
        let bank_reference = format!("OUT-{}", self.store.ids().block(1));
        self.pays_under(&NewPayment { purpose, value_date: self.today() - Days::new(days), bank_reference })
    }

    fn pays_under(&self, new: &NewPayment) -> Result<Payment, PaymentError> {
        self.store.write(|tx| record_payment(tx, Actor::platform(), new)).map(Recorded::into_inner)
    }

    pub fn repayment(&self, principal: &str, interest: &str) -> PaymentPurpose {
        PaymentPurpose::FacilityRepayment { facility: self.facility, principal: cny(principal), interest: cny(interest) }
    }

    pub fn sweeps(&self, amount: Money) -> Result<(), TransferError> {
        let bank_reference = format!("SWEEP-{}", self.store.ids().block(1));
        let said = Confirmation { bank_reference, value_date: self.today() };
        self.store.write(|tx| sweep(tx, Actor::platform(), amount, &said).map(drop))
    }
}

pub fn tax(amount: &str) -> PaymentPurpose {
    PaymentPurpose::Tax { payee: "CAAC".into(), code: "CN".into(), amount: cny(amount) }
}

fn sold_and_paid(world: &World) -> IssuedOrder {
    let order = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[settled(&sent)]);
    order
}

fn on_credit(engine: Engine) -> World {
    let world = World::on(engine);
    world.lodges_deposit("5000.00");
    world
}

fn the_worked_case_closes_at_3_93(engine: Engine) {
    let world = on_credit(engine);
    let cycle = world.cycle();
    sold_and_paid(&world);
    world.time_passes(Duration::days(7));
    let booked: i64 = world.accrues(None).unwrap().iter().map(|day| day.booked.minor).sum();
    assert_eq!(booked, 107);
    let receipt = world.remits("970.00", cycle).unwrap();
    assert_eq!(receipt.commission, cny("30.00"));
    assert_eq!(world.exposure(), cny("0.00"), "the capacity is free at once");
    world.pays(world.repayment("915.00", "1.07")).unwrap();
    world.pays(tax("50.00")).unwrap();
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 5000.00",
            "platform.cash[client] 5000.00",
            "platform.cash[own] 3.93",
            "platform.fee_income 5.00",
            "platform.interest_expense -1.07",
        ]
    );
    assert_eq!((world.line().drawn, world.line().held), (cny("0.00"), cny("0.00")));
    world.adds_up();
}

fn the_worked_case_from_the_wallet_closes_at_5_00(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet());
    assert!(matches!(world.sweeps(cny("55.01")), Err(TransferError::AboveCover { free }) if free == cny("55.00")));
    world.sweeps(cny("55.00")).unwrap();
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[settled(&sent)]);
    world.pays(tax("50.00")).unwrap();
    assert_eq!(world.balances(), ["platform.cash[own] 5.00", "platform.fee_income 5.00"]);
    world.adds_up();
}

fn interest_of_7_15_30_and_33_days(engine: Engine) {
    let world = on_credit(engine);
    sold_and_paid(&world);
    let mut passed = 0;
    for (days, total) in [(7, "1.07"), (15, "2.29"), (30, "4.58"), (33, "5.03")] {
        world.time_passes(Duration::days(days - passed));
        passed = days;
        let made = world.accrues(None).unwrap();
        assert_eq!(made.last().unwrap().total_booked, cny(total), "{days} days");
        world.adds_up();
    }
}

fn a_day_is_accrued_once_and_only_when_it_is_over(engine: Engine) {
    let world = on_credit(engine);
    sold_and_paid(&world);
    let today = world.today();
    assert!(world.accrues(None).unwrap().is_empty(), "the day of the draw is not over");
    assert!(matches!(world.accrues(Some(today)), Err(AccrualError::NotOver { .. })));
    world.time_passes(Duration::days(3));
    assert_eq!(world.accrues(Some(today)).unwrap().len(), 1);
    assert!(world.accrues(Some(today)).unwrap().is_empty());
    let made: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| world.accrues(None).unwrap().len())).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).sum()
    });
    assert_eq!(made, 2);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM facility_accrual"), 3);
    world.adds_up();
}

fn missed_days_are_made_up_with_the_balance_that_they_had(engine: Engine) {
    let (daily, missed) = (on_credit(engine), on_credit(engine));
    for world in [&daily, &missed] {
        let on_time = std::ptr::eq(world, &daily);
        let cycle = world.cycle();
        sold_and_paid(world);
        for day in 0..6 {
            if day == 2 {
                sold_and_paid(world);
            }
            if day == 4 {
                world.remits("970.00", cycle).unwrap();
                world.pays(world.repayment("500.00", "0.00")).unwrap();
            }
            world.time_passes(Duration::days(1));
            if on_time {
                world.accrues(None).unwrap();
            }
        }
        world.accrues(None).unwrap();
        world.adds_up();
    }
    let days = "SELECT booked_minor AS value FROM facility_accrual ORDER BY day";
    let balances = "SELECT balance_minor AS value FROM facility_accrual ORDER BY day";
    assert_eq!(daily.numbers(days), missed.numbers(days));
    assert_eq!(daily.numbers(balances), [91_500, 91_500, 183_000, 183_000, 133_000, 133_000]);
    assert_eq!(daily.numbers(balances), missed.numbers(balances));
}

fn a_year_of_365_days_and_a_leap_day(engine: Engine) {
    let world = on_credit(engine);
    world.database.as_owner("UPDATE facility SET day_count = 'ACT/365F'").unwrap();
    let leap = NaiveDate::from_ymd_opt(2028, 2, 28).unwrap();
    world.time_passes(Duration::days((leap - world.today()).num_days()));
    sold_and_paid(&world);
    world.time_passes(Duration::days(2));
    let made = world.accrues(None).unwrap();
    let days: Vec<String> = made.iter().map(|day| day.day.to_string()).collect();
    assert_eq!(days, ["2028-02-28", "2028-02-29"]);
    // 915.00 x 6 % x 2 / 365 = 0.3008...
    assert_eq!(made.last().unwrap().total_booked, cny("0.30"));
    assert_eq!(world.cycle().to_string(), "2028-03-H1");
    world.adds_up();
}

fn a_cycle_paid_in_parts_ends_at_zero(engine: Engine) {
    let world = on_credit(engine);
    let cycle = world.cycle();
    sold_and_paid(&world);
    assert_eq!(world.remits("500.00", cycle).unwrap().commission, cny("15.46"));
    assert_eq!(world.exposure(), cny("470.00"), "a part frees its part");
    world.remits("0.01", cycle).unwrap();
    world.adds_up();
    world.remits("469.99", cycle).unwrap();
    assert_eq!(world.exposure(), cny("0.00"));
    let standing = world.standing(world.agency);
    assert_eq!((standing.receivable, standing.commission), (cny("0.00"), cny("0.00")));
    world.adds_up();
}

fn what_is_paid_too_much_stays_as_a_credit(engine: Engine) {
    let world = on_credit(engine);
    let cycle = world.cycle();
    sold_and_paid(&world);
    world.remits("1000.00", cycle).unwrap();
    assert_eq!(world.exposure(), cny("-30.00"));
    world.adds_up();
}

fn a_cycle_in_which_nothing_was_sold_is_not_paid(engine: Engine) {
    let world = on_credit(engine);
    sold_and_paid(&world);
    let rows = world.row_counts();
    let other = Cycle::parse("2020-01-H1").unwrap();
    assert!(matches!(world.remits("970.00", other), Err(ReceiptError::NothingInCycle(cycle)) if cycle == other));
    assert_eq!(world.row_counts(), rows);
}

fn nothing_is_paid_that_is_not_owed(engine: Engine) {
    let world = on_credit(engine);
    sold_and_paid(&world);
    world.receives(&world.receipt(Purpose::Capital, "60.00")).unwrap();
    let rows = world.row_counts();
    let field = |refused: Result<Payment, PaymentError>| match refused {
        Err(PaymentError::MoreThanOwed { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(world.pays(world.repayment("915.01", "0.00"))), "principal_amount");
    assert_eq!(field(world.pays(world.repayment("0.00", "0.01"))), "interest_amount");
    assert_eq!(field(world.pays(tax("50.01"))), "amount");
    assert!(
        matches!(world.pays(world.repayment("60.01", "0.00")), Err(PaymentError::OwnCashShort { short }) if short == cny("0.01"))
    );
    assert!(matches!(world.pays(world.repayment("0.00", "0.00")), Err(PaymentError::NotPositive)));
    let nobody = PaymentPurpose::Tax { payee: "nobody".into(), code: "XX".into(), amount: cny("1.00") };
    assert_eq!(field(world.pays(nobody)), "amount");
    assert_eq!(world.row_counts(), rows);
    world.adds_up();
}

fn the_same_bank_reference_is_the_same_payment(engine: Engine) {
    let world = on_credit(engine);
    sold_and_paid(&world);
    world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
    let new =
        NewPayment { purpose: world.repayment("100.00", "0.00"), value_date: world.today(), bank_reference: "OUT-1".into() };
    let paid: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..3).map(|_| scope.spawn(|| world.pays_under(&new).unwrap().id)).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    assert!(paid.iter().all(|id| *id == paid[0]));
    assert_eq!(world.line().drawn, cny("815.00"));
    let other = NewPayment { purpose: world.repayment("200.00", "0.00"), ..new };
    assert!(matches!(world.pays_under(&other), Err(PaymentError::ReferenceReused { field: "principal_amount", .. })));
    world.adds_up();
}

fn only_earned_money_is_swept(engine: Engine) {
    let world = on_credit(engine);
    world.tops_up(world.prepaid, "100.00");
    assert!(matches!(world.sweeps(cny("0.01")), Err(TransferError::AboveCover { free }) if free == cny("0.00")));
    assert!(matches!(world.sweeps(cny("0.00")), Err(TransferError::NotPositive)));
    world.adds_up();
}
