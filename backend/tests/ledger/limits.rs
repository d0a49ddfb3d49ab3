//! What limits are made of: deposits returned, guarantees that expire, limits raised for a while by two, baselines, alerts; and wallets withdrawn.

use crate::approvals::{ANNA, BORIS, by};
use crate::database::Engine;
use crate::world::{Anything, World, cny, rate};
use airsettle::approvals::{Approval, Proposal, Requested, approve, submit};
use airsettle::audit::Actor;
use airsettle::credit::{
    Guarantee, GuaranteeError, GuaranteeKind, GuaranteeStatus, NewGuarantee, RaiseLimit, ReviewError, TemporaryLimitError,
    end_temporary_limit, register_guarantee, release_guarantee, review_limit, temporary_limits,
};
use airsettle::db::Window;
use airsettle::documents::{Upload, keep_attachment};
use airsettle::ids::{AgencyId, ApprovalId, AttachmentId, Id, TemporaryLimitId};
use airsettle::money::Money;
use airsettle::settlement::{NewPayout, Payout, PayoutError, PayoutPurpose, Purpose, Recorded, pay_out};
use airsettle::ticketing::Refusal;
use chrono::{Days, Duration, NaiveDate};
use std::sync::{Arc, Barrier};

on_both_engines!(
    a_deposit_goes_back_as_far_as_the_limit_covers_what_is_owed,
    a_deposit_return_and_a_sale_at_once_do_not_both_pass,
    a_wallet_is_withdrawn_to_its_last_minor_unit_and_no_further,
    own_money_on_its_way_is_not_paid_out,
    the_same_reference_is_the_same_payout,
    a_guarantee_counts_after_its_haircut_and_falls_out_on_its_day,
    a_guarantee_that_is_given_back_only_stops_sales,
    a_guarantee_that_makes_no_sense_is_refused,
    a_limit_is_raised_by_two_for_some_days,
    more_security_since_makes_it_another_decision,
    a_temporary_limit_that_makes_no_sense_is_refused,
    a_reviewed_limit_stays_below_its_baseline,
    each_part_of_the_limit_is_told_once,
    an_alert_stands_or_falls_with_its_sale,
    a_changed_register_is_found,
);

impl World {
    /// One key asks, another one agrees.
    pub fn two_agree<P: Proposal>(&self, change: &P) -> Result<Approval, Anything>
    where
        Anything: From<P::Error>,
    {
        let asked: Requested = self.store.write(|tx| submit::<P, Anything>(tx, &by(ANNA), change, "a test"))?;
        let id = asked.approval().id;
        self.store.write(|tx| approve::<P, Anything>(tx, &by(BORIS), id))
    }

    pub fn pays_out(&self, agency: AgencyId, purpose: PayoutPurpose, amount: Money) -> Result<Payout, PayoutError> {
        let new = NewPayout { agency, purpose, amount, value_date: self.today(), reference: None };
        match self.store.write(|tx| pay_out(tx, Actor::platform(), &new))? {
            Recorded::Now(payout) => Ok(payout),
            Recorded::Before(payout) => panic!("paid before: {payout:?}"),
        }
    }

    fn returns_deposit(&self, amount: &str) -> Result<Payout, PayoutError> {
        self.pays_out(self.agency, PayoutPurpose::DepositReturn, cny(amount))
    }

    fn withdraws(&self, amount: &str) -> Result<Payout, PayoutError> {
        self.pays_out(self.prepaid, PayoutPurpose::WalletWithdrawal, cny(amount))
    }

    fn document(&self) -> AttachmentId {
        let upload = Upload::of(self.seller, "guarantee.pdf", b"%PDF-1.4 a bank answers for it").unwrap();
        let id = AttachmentId::of(self.store.ids().block(1));
        AttachmentId::of(self.write(|tx| Ok(keep_attachment(tx, id, &upload, vec![1])?)).id)
    }

    pub fn day(&self, days: u64) -> NaiveDate {
        self.today() + Days::new(days)
    }

    pub fn guarantee(&self, amount: Money, haircut: &str, days: u64) -> NewGuarantee {
        NewGuarantee {
            agency: self.agency,
            kind: GuaranteeKind::Guarantee,
            issuer: "Bank of the Delta".into(),
            amount,
            haircut: rate(haircut),
            effective_from: self.today(),
            expires_on: self.day(days),
            document: self.document(),
        }
    }

    pub fn registers(&self, new: &NewGuarantee) -> Result<Guarantee, GuaranteeError> {
        self.store.write(|tx| register_guarantee(tx, new))
    }

    pub fn raise(&self, amount: &str, days: u64) -> RaiseLimit {
        RaiseLimit {
            agency_id: self.agency.to_string(),
            amount: amount.into(),
            currency: "CNY".into(),
            effective_from: self.today().to_string(),
            effective_until: self.day(days).to_string(),
        }
    }

    /// The parts of limits that were told, oldest first.
    pub fn told(&self) -> Vec<i64> {
        self.numbers("SELECT percent AS value FROM limit_alert ORDER BY id")
    }

    fn limit_in_the_way(&self) -> (Money, Money) {
        match self.refuses(self.order()) {
            Refusal::LimitExceeded { limit_minor, short_minor, .. } => {
                (Money::new(limit_minor, cny("0").currency), Money::new(short_minor, cny("0").currency))
            }
            other => panic!("{other:?}"),
        }
    }
}

fn a_deposit_goes_back_as_far_as_the_limit_covers_what_is_owed(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1000.00");
    world.sells(world.order());
    let refused = world.returns_deposit("30.01").unwrap_err();
    let PayoutError::Uncovers { short, returnable } = refused else { panic!("{refused}") };
    assert_eq!((short, returnable), (cny("0.01"), cny("30.00")));
    let returned = world.returns_deposit("30.00").unwrap();
    assert_eq!(returned.reference, returned.id.to_string(), "a reference of ours");
    assert_eq!(world.standing(world.agency).deposit, cny("970.00"));
    assert!(matches!(world.returns_deposit("0.01").unwrap_err(), PayoutError::Uncovers { .. }));
    let owed = world.limit_in_the_way();
    assert_eq!(owed, (cny("970.00"), cny("970.00")));
    assert!(
        matches!(world.returns_deposit("970.01").unwrap_err(), PayoutError::MoreThanThere { there } if there == cny("970.00"))
    );
    assert!(matches!(world.returns_deposit("0.00").unwrap_err(), PayoutError::NotPositive));
    assert!(matches!(world.returns_deposit("-1.00").unwrap_err(), PayoutError::NotPositive));
    assert_eq!(world.texts("SELECT kind AS value FROM event WHERE kind = 'deposit.returned'").len(), 1);
    world.adds_up();
    // A limit that is exceeded already lets nothing go, and one that is not used lets all of it.
    world.adopts_policy("1", "100.00");
    let refused = world.returns_deposit("1.00").unwrap_err();
    assert!(matches!(refused, PayoutError::Uncovers { returnable, .. } if returnable == cny("0.00")), "{refused}");
    let idle = World::on(engine);
    idle.lodges_deposit("1000.00");
    idle.returns_deposit("1000.00").unwrap();
    idle.adds_up();
}

fn a_deposit_return_and_a_sale_at_once_do_not_both_pass(engine: Engine) {
    for _ in 0..4 {
        let world = World::on(engine);
        world.lodges_deposit("1000.00");
        let other = Arc::new(world.database.open(world.clock.clone()));
        let new = NewPayout {
            agency: world.agency,
            purpose: PayoutPurpose::DepositReturn,
            amount: cny("1000.00"),
            value_date: world.today(),
            reference: None,
        };
        let together = Barrier::new(2);
        let (sold, returned) = std::thread::scope(|scope| {
            let sale = scope.spawn(|| {
                together.wait();
                matches!(world.issue(world.order()), airsettle::ticketing::Outcome::Issued(_))
            });
            let payout = scope.spawn(|| {
                together.wait();
                other.write(|tx| pay_out(tx, Actor::platform(), &new)).is_ok()
            });
            (sale.join().unwrap(), payout.join().unwrap())
        });
        assert_ne!(sold, returned, "exactly one of them");
        assert!(world.exposure().minor <= world.standing(world.agency).deposit.minor);
        world.adds_up();
    }
}

fn a_wallet_is_withdrawn_to_its_last_minor_unit_and_no_further(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "1000.00");
    world.sells(world.order().by_wallet());
    assert!(matches!(world.withdraws("30.01").unwrap_err(), PayoutError::MoreThanThere { there } if there == cny("30.00")));
    world.withdraws("30.00").unwrap();
    assert!(matches!(world.withdraws("0.01").unwrap_err(), PayoutError::MoreThanThere { .. }));
    assert_eq!(world.standing(world.prepaid).wallet, cny("0.00"));
    world.adds_up();
    // The airline is still paid from what was not the agency's any more.
    let advance = world.advances().remove(0);
    world.sends(&advance).unwrap();
    world.bank_says(&[crate::bank::settled(&advance)]);
    world.adds_up();
}

fn own_money_on_its_way_is_not_paid_out(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "1000.00");
    world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
    let order = world.sells(world.order().by_wallet());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[crate::bank::settled(&sent)]);
    // The void puts 970.00 back into the wallet; own money for it is on its way.
    let voids = || world.quotes(&order).and_then(|quote| world.confirms(&quote));
    voids().unwrap_err();
    world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
    voids().unwrap();
    assert_eq!(world.standing(world.prepaid).wallet, cny("1000.00"));
    let refused = world.withdraws("1000.00").unwrap_err();
    assert!(matches!(refused, PayoutError::ClientCashShort { short } if short == cny("915.00")), "{refused}");
    world.withdraws("85.00").unwrap();
    world.adds_up();
}

fn the_same_reference_is_the_same_payout(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "1000.00");
    let new = NewPayout {
        agency: world.prepaid,
        purpose: PayoutPurpose::WalletWithdrawal,
        amount: cny("10.00"),
        value_date: world.today(),
        reference: Some("OUT-1".into()),
    };
    let pays = |new: &NewPayout| world.store.write(|tx| pay_out(tx, Actor::platform(), new));
    let Recorded::Now(first) = pays(&new).unwrap() else { panic!("paid before") };
    let Recorded::Before(again) = pays(&new).unwrap() else { panic!("paid twice") };
    assert_eq!((again.id, again.posting), (first.id, first.posting));
    for (other, wrong) in [
        (NewPayout { amount: cny("10.01"), ..new.clone() }, "amount"),
        (NewPayout { agency: world.agency, ..new.clone() }, "agency_id"),
        (NewPayout { purpose: PayoutPurpose::DepositReturn, ..new.clone() }, "purpose"),
        (NewPayout { value_date: world.today() - Days::new(1), ..new.clone() }, "value_date"),
    ] {
        let refused = pays(&other).unwrap_err();
        assert!(matches!(&refused, PayoutError::ReferenceReused { field, .. } if *field == wrong), "{wrong}: {refused}");
    }
    let late = NewPayout { value_date: world.day(1), ..new };
    assert!(matches!(pays(&late).unwrap_err(), PayoutError::FutureValueDate(_)));
    assert_eq!(world.standing(world.prepaid).wallet, cny("990.00"));
    world.adds_up();
}

fn a_guarantee_counts_after_its_haircut_and_falls_out_on_its_day(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("300.00");
    assert_eq!(world.limit_in_the_way().0, cny("300.00"));
    let registered = world.registers(&world.guarantee(cny("2000.00"), "0.2", 3)).unwrap();
    assert_eq!(registered.counted, cny("1600.00"));
    world.sells(world.order());
    assert_eq!(world.limit_in_the_way(), (cny("1900.00"), cny("40.00")));
    world.time_passes(Duration::days(3));
    assert_eq!(registered.status_on(world.today()), GuaranteeStatus::InForce);
    assert_eq!(world.limit_in_the_way().0, cny("1900.00"), "its last day");
    world.time_passes(Duration::days(1));
    assert_eq!(registered.status_on(world.today()), GuaranteeStatus::Expired);
    // Nothing has run: the commit that decides sees the date.
    assert_eq!(world.limit_in_the_way(), (cny("300.00"), cny("1640.00")));
    assert_eq!(world.exposure(), cny("970.00"), "what is owed stays owed");
    world.adds_up();
}

fn a_guarantee_that_is_given_back_only_stops_sales(engine: Engine) {
    let world = World::on(engine);
    let registered = world.registers(&world.guarantee(cny("1000.00"), "0", 30)).unwrap();
    world.sells(world.order());
    let released = world.store.write(|tx| release_guarantee(tx, registered.id)).unwrap();
    assert_eq!(released.status_on(world.today()), GuaranteeStatus::Released);
    assert_eq!(world.limit_in_the_way(), (cny("0.00"), cny("1940.00")));
    let again = world.store.write(|tx| release_guarantee(tx, registered.id)).unwrap();
    assert_eq!(again.released_at, released.released_at);
    assert_eq!(world.texts("SELECT kind AS value FROM event WHERE kind = 'guarantee.released'").len(), 1);
    // Two of them, one of which begins tomorrow.
    world.registers(&world.guarantee(cny("500.00"), "0.5", 30)).unwrap();
    let tomorrow = NewGuarantee { effective_from: world.day(1), ..world.guarantee(cny("70.00"), "0", 30) };
    world.registers(&tomorrow).unwrap();
    assert_eq!(world.limit_in_the_way().0, cny("250.00"));
    world.time_passes(Duration::days(1));
    assert_eq!(world.limit_in_the_way().0, cny("320.00"));
    world.adds_up();
}

fn a_guarantee_that_makes_no_sense_is_refused(engine: Engine) {
    let world = World::on(engine);
    let right = world.guarantee(cny("1000.00"), "0.1", 30);
    let yesterday = world.today() - Days::new(1);
    let usd = Money::parse("10.00", airsettle::money::Currency::parse("USD").unwrap()).unwrap();
    let refused = |new: NewGuarantee| world.registers(&new).unwrap_err();
    assert!(matches!(refused(NewGuarantee { amount: cny("0.00"), ..right.clone() }), GuaranteeError::NotPositive));
    assert!(matches!(refused(NewGuarantee { amount: cny("-1.00"), ..right.clone() }), GuaranteeError::NotPositive));
    assert!(matches!(refused(NewGuarantee { haircut: rate("1.01"), ..right.clone() }), GuaranteeError::Haircut));
    assert!(matches!(refused(NewGuarantee { haircut: rate("-0.1"), ..right.clone() }), GuaranteeError::Haircut));
    let expired = NewGuarantee { effective_from: yesterday, expires_on: yesterday, ..right.clone() };
    assert!(matches!(refused(expired), GuaranteeError::Expired));
    assert!(matches!(refused(NewGuarantee { effective_from: world.day(31), ..right.clone() }), GuaranteeError::Expired));
    assert!(matches!(refused(NewGuarantee { amount: usd, ..right.clone() }), GuaranteeError::CurrencyMismatch(_)));
    assert!(matches!(refused(NewGuarantee { agency: AgencyId::of(9), ..right }), GuaranteeError::NoAgency));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM guarantee"), 0);
}

fn a_limit_is_raised_by_two_for_some_days(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("500.00");
    world.adopts_policy("1", "500.00");
    let approved = world.two_agree(&world.raise("470.00", 2)).unwrap();
    let id = TemporaryLimitId::parse(approved.result.as_deref().unwrap()).unwrap();
    world.sells(world.order());
    assert_eq!(world.limit_in_the_way(), (cny("970.00"), cny("970.00")), "on top of the cap");
    world.time_passes(Duration::days(2));
    assert_eq!(world.limit_in_the_way().0, cny("970.00"), "its last day");
    world.time_passes(Duration::days(1));
    assert_eq!(world.limit_in_the_way().0, cny("500.00"));
    world.adds_up();
    let second = world.two_agree(&world.raise("1000.00", 30)).unwrap();
    assert_eq!(world.limit_in_the_way().0, cny("1500.00"));
    let second = TemporaryLimitId::parse(second.result.as_deref().unwrap()).unwrap();
    let ended = world.store.write(|tx| end_temporary_limit(tx, second)).unwrap();
    assert!(ended.ended_at.is_some());
    assert_eq!(world.limit_in_the_way().0, cny("500.00"));
    let all = world.read(|db| temporary_limits(db, Some(&[world.agency]), Window::NEWEST, 9));
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [second, id]);
    world.adds_up();
}

fn more_security_since_makes_it_another_decision(engine: Engine) {
    let world = World::on(engine);
    let change = world.raise("1000.00", 2);
    let asked = world.store.write(|tx| submit::<RaiseLimit, Anything>(tx, &by(ANNA), &change, "a fair")).unwrap();
    world.registers(&world.guarantee(cny("1000.00"), "0", 30)).unwrap();
    let id: ApprovalId = asked.approval().id;
    let refused = world.store.write(|tx| approve::<RaiseLimit, Anything>(tx, &by(BORIS), id)).unwrap_err();
    assert!(refused.to_string().contains("has changed since it was asked for"), "{refused}");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM temporary_limit"), 0);
    world.two_agree(&change).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM temporary_limit"), 1);
    world.adds_up();
}

fn a_temporary_limit_that_makes_no_sense_is_refused(engine: Engine) {
    let world = World::on(engine);
    let right = world.raise("1000.00", 2);
    let refused = |change: RaiseLimit| -> TemporaryLimitError {
        *world.store.write(|tx| submit::<_, Anything>(tx, &by(ANNA), &change, "x")).unwrap_err().downcast().unwrap()
    };
    let of = |field: &'static str, error: TemporaryLimitError| {
        assert!(matches!(&error, TemporaryLimitError::Field(named, _) if *named == field), "{field}: {error}");
    };
    assert!(matches!(refused(RaiseLimit { amount: "-5.00".into(), ..right.clone() }), TemporaryLimitError::NotPositive));
    assert!(matches!(refused(RaiseLimit { amount: "0".into(), ..right.clone() }), TemporaryLimitError::NotPositive));
    assert!(matches!(refused(RaiseLimit { amount: "1.001".into(), ..right.clone() }), TemporaryLimitError::Amount(_)));
    assert!(matches!(refused(RaiseLimit { currency: "USD".into(), ..right.clone() }), TemporaryLimitError::CurrencyMismatch(_)));
    of("currency", refused(RaiseLimit { currency: "RMB".into(), ..right.clone() }));
    of("agency_id", refused(RaiseLimit { agency_id: "agy_0000000000009".into(), ..right.clone() }));
    of("effective_from", refused(RaiseLimit { effective_from: "tomorrow".into(), ..right.clone() }));
    for (from, until) in [(1, 0), (0, 92)] {
        let (from, until) = (world.day(from).to_string(), world.day(until).to_string());
        let dates = RaiseLimit { effective_from: from, effective_until: until, ..right.clone() };
        assert!(matches!(refused(dates), TemporaryLimitError::Dates));
    }
    world.two_agree(&RaiseLimit { effective_until: world.day(91).to_string(), ..right }).unwrap();
}

fn a_reviewed_limit_stays_below_its_baseline(engine: Engine) {
    let world = World::trading(engine);
    let none = world.store.write(|tx| review_limit(tx, world.agency)).unwrap_err();
    assert!(matches!(none, ReviewError::NoTurnover));
    world.sells(world.order());
    let (_, capacity) = world.store.write(|tx| review_limit(tx, world.agency)).unwrap();
    // (15 reporting + 7 payment days) x 1000.00 a period x 2, per day of the period.
    let days = i64::from(capacity.periods[0].days);
    assert!((capacity.amount.minor - 44 * 100_000 / days).abs() <= 1, "{capacity:?}");
    let inside = Money::new(capacity.amount.minor - 1, capacity.amount.currency);
    while world.exposure().minor + 97_000 <= inside.minor {
        world.sells(world.order());
    }
    assert_eq!(world.limit_in_the_way().0, inside);
    // Sold more since, so the next review allows more.
    let (_, again) = world.store.write(|tx| review_limit(tx, world.agency)).unwrap();
    assert!(again.amount.minor > capacity.amount.minor);
    world.sells(world.order());
    world.adds_up();
}

fn each_part_of_the_limit_is_told_once(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("9700.00");
    let sells = |times: usize| (0..times).for_each(|_| drop(world.sells(world.order())));
    sells(4);
    assert!(world.told().is_empty());
    sells(4);
    assert_eq!(world.told(), [50, 75]);
    sells(2);
    assert_eq!(world.told(), [50, 75, 90, 100]);
    let kinds = world.texts("SELECT kind AS value FROM event WHERE kind LIKE 'limit.reached%' ORDER BY id");
    assert_eq!(kinds, ["limit.reached_50", "limit.reached_75", "limit.reached_90", "limit.reached_100"]);
    assert!(matches!(world.refuses(world.order()), Refusal::LimitExceeded { .. }));
    // To 80 per cent: 90 and 100 are armed again, 75 is not.
    let cycle = airsettle::agencies::Cycle::parse(&airsettle::agencies::cycle_of(world.today())).unwrap();
    world.remits("1940.00", cycle).unwrap();
    sells(1);
    assert_eq!(world.told(), [50, 75, 90, 100, 90]);
    // A guarantee makes room: 87.3 of 145.5. When it is given back, everything is told again.
    let more = world.registers(&world.guarantee(cny("9700.00"), "0.5", 30)).unwrap();
    assert_eq!(world.told().len(), 5);
    world.store.write(|tx| release_guarantee(tx, more.id)).unwrap();
    assert_eq!(world.told(), [50, 75, 90, 100, 90, 75, 90]);
    world.adds_up();
}

fn an_alert_stands_or_falls_with_its_sale(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1000.00");
    world.sells(world.order().by_balance());
    assert_eq!(world.told(), [50, 75, 90]);
    // Another limit, and a refusal: nothing is left behind.
    world.adopts_policy("1", "900.00");
    let rows = world.row_counts();
    assert!(matches!(world.refuses(world.order()), Refusal::LimitExceeded { .. }));
    assert_eq!(world.row_counts(), rows);
    assert_eq!(world.told(), [50, 75, 90]);
    // A wallet sale owes nothing.
    world.tops_up(world.agency, "970.00");
    world.sells(world.order().by_balance());
    assert_eq!(world.told(), [50, 75, 90]);
    world.adds_up();
}

fn a_changed_register_is_found(engine: Engine) {
    let cases = [
        ("UPDATE guarantee SET counted_minor = counted_minor - 1", "what an agency's limit is made of"),
        ("UPDATE guarantee SET released_at = created_at", "what an agency's limit is made of"),
        ("UPDATE temporary_limit SET effective_until = '2099-01-01'", "what an agency's limit is made of"),
        ("UPDATE agency SET limit_terms = ''", "what an agency's limit is made of"),
        ("UPDATE approval SET kind = 'unfreeze' WHERE kind = 'temporary_limit'", "an approval's digest"),
        ("UPDATE agency SET frozen_scopes = 'issue'", "what of an agency stands still"),
        ("UPDATE payout SET amount_minor = amount_minor + 1", "a payout is booked with its own amount"),
        ("UPDATE payout SET purpose = 'wallet_withdrawal'", "a payout is booked with its own amount"),
        ("UPDATE limit_alert SET exposure_minor = 1", "an alert was given"),
    ];
    for (change, rule) in cases {
        let world = World::on(engine);
        world.lodges_deposit("1000.00");
        world.registers(&world.guarantee(cny("10.00"), "0", 9)).unwrap();
        world.two_agree(&world.raise("10.00", 9)).unwrap();
        world.sells(world.order());
        world.returns_deposit("5.00").unwrap();
        world.adds_up();
        world.database.tamper("approval", change);
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
