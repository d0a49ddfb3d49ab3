//! Random histories of sales, days that pass, payments in time and late, charges, over-payments paid out, guarantees, defaults in which they are
//! called, write-offs and recoveries: after every step the books are proved, and what is owed, charged, written off and recovered is what a model in
//! plain numbers says.

use crate::approvals::{ANNA, BORIS, by};
use crate::database::Engine;
use crate::world::{Anything, World};
use airsettle::agencies::{AgencyStatus, CostTerms, Cycle, CycleRule, PaymentTerms};
use airsettle::approvals::{ChangeKind, Proposal, Requested, approve, submit};
use airsettle::audit::{Actor, Cause};
use airsettle::db::WriteTx;
use airsettle::ids::{AgencyId, ApprovalId, GuaranteeId, Id};
use airsettle::money::{Currency, Money, divide_half_even};
use airsettle::settlement::{CreditPayoutError, DefaultError, Purpose, ReceiptError, declare_default, default_of, write_off};
use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

on_both_engines!(random_histories_of_cycles_agree_with_a_model);

#[derive(Clone, Debug)]
enum Move {
    Sell(i64),
    DaysPass(u64),
    RemitOldest(i64),
    /// Which cycle, and how much.
    Remit(usize, i64),
    PayCharges,
    PayOut(usize, i64),
    Default,
    /// Security beside the deposit.
    Guarantee(i64),
    /// Which guarantee, and how much of it its guarantor pays.
    Call(usize, i64),
    WriteOff,
    Recover(i64),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => (20_000i64..120_000).prop_map(Move::Sell),
        6 => (1u64..12).prop_map(Move::DaysPass),
        4 => (1i64..200_000).prop_map(Move::RemitOldest),
        4 => (0..4usize, 1i64..150_000).prop_map(|(which, amount)| Move::Remit(which, amount)),
        2 => Just(Move::PayCharges),
        3 => (0..4usize, 1i64..60_000).prop_map(|(which, amount)| Move::PayOut(which, amount)),
        1 => Just(Move::Default),
        1 => (20_000i64..90_000).prop_map(Move::Guarantee),
        3 => (0..3usize, 1i64..90_000).prop_map(|(which, amount)| Move::Call(which, amount)),
        1 => Just(Move::WriteOff),
        2 => (1i64..90_000).prop_map(Move::Recover),
    ]
}

/// One cycle: what is owed net of commission, and how that changed by day, for the charges.
#[derive(Clone, Debug, Default)]
struct Owed {
    net: i64,
    /// What lowered it, and the day from which that counts.
    paid: Vec<(NaiveDate, i64)>,
    charged_through: Option<NaiveDate>,
    charged: [i64; 2],
    settled_on: Option<NaiveDate>,
}

#[derive(Debug, Default)]
struct Model {
    cycles: BTreeMap<Cycle, Owed>,
    deposit: i64,
    charges_paid: i64,
    /// What is left of each.
    guarantees: Vec<i64>,
    called: i64,
    in_default: bool,
    written_off: i64,
    recovered: i64,
}

/// Late fee and financing of the world below, as fractions of a day.
const RATES: [(i128, i128); 2] = [(5, 10_000), (6, 36_000)];
const FREE_DAYS: u64 = 7;
const PAYMENT_DAYS: u64 = 7;

impl Model {
    fn net(&self) -> i64 {
        self.cycles.values().map(|one| one.net).sum()
    }

    fn limit(&self) -> i64 {
        self.deposit + self.guarantees.iter().sum::<i64>()
    }

    fn charges(&self) -> i64 {
        self.cycles.values().map(|one| one.charged.iter().sum::<i64>()).sum::<i64>() - self.charges_paid
    }

    fn lowers(&mut self, cycle: Cycle, amount: i64, day: NaiveDate) {
        let owed = self.cycles.entry(cycle).or_default();
        owed.net -= amount;
        owed.paid.push((day, amount));
    }

    /// Oldest first; answers what is left.
    fn spreads(&mut self, mut left: i64, day: NaiveDate) -> i64 {
        let mut oldest: Vec<Cycle> = self.cycles.keys().copied().collect();
        oldest.sort_by_key(|cycle| cycle.last_day());
        for cycle in oldest {
            let part = self.cycles[&cycle].net.max(0).min(left);
            if part > 0 {
                self.lowers(cycle, part, day);
                left -= part;
            }
        }
        left
    }

    /// Credit of one cycle pays what is owed in another, among these.
    fn carries(&mut self, among: impl Fn(Cycle) -> bool, today: NaiveDate) {
        loop {
            let find = |wanted: fn(i64) -> bool| {
                let cycles = self.cycles.iter().filter(|(cycle, owed)| among(**cycle) && wanted(owed.net));
                cycles.map(|(cycle, _)| *cycle).min_by_key(|cycle| cycle.last_day())
            };
            let (Some(from), Some(to)) = (find(|net| net < 0), find(|net| net > 0)) else { return };
            let amount = (-self.cycles[&from].net).min(self.cycles[&to].net);
            self.lowers(from, -amount, today);
            self.lowers(to, amount, today);
        }
    }

    /// The close of a day: what is over is carried and charged, up to the day before.
    fn closes(&mut self, today: NaiveDate) {
        if self.cycles.iter().any(|(cycle, owed)| cycle.last_day() < today && owed.net > 0) {
            self.carries(|cycle| cycle.last_day() < today, today);
        }
        let (through, in_default) = (today.pred_opt().unwrap(), self.in_default);
        for (cycle, owed) in self.cycles.iter_mut().filter(|(cycle, _)| cycle.last_day() < today) {
            let is_settled = owed.net <= 0;
            owed.settled_on = if is_settled || in_default { owed.settled_on.or(Some(today)) } else { None };
            let ended = owed.settled_on.zip(owed.charged_through).is_some_and(|(settled, through)| through >= settled);
            if ended || owed.charged_through.is_some_and(|looked| looked >= through) {
                continue;
            }
            if !in_default {
                let unpaid = |day: NaiveDate| {
                    let later: i64 = owed.paid.iter().filter(|(on, _)| *on > day).map(|(_, minor)| minor).sum();
                    i128::from((owed.net + later).max(0))
                };
                let first = [cycle.last_day() + Days::new(PAYMENT_DAYS + 1), cycle.last_day() + Days::new(FREE_DAYS + 1)];
                owed.charged = [0, 1].map(|kind: usize| {
                    let days = first[kind].iter_days().take_while(|day| *day <= through);
                    let total: i128 = days.map(&unpaid).sum();
                    i64::try_from(divide_half_even(total * RATES[kind].0, RATES[kind].1).unwrap()).unwrap()
                });
            }
            owed.charged_through = Some(through);
        }
    }
}

/// What two people agree on.
#[derive(Debug, Serialize, Deserialize)]
struct GivingUp {
    agency_id: String,
    minor: i64,
}

impl Proposal for GivingUp {
    const KIND: ChangeKind = ChangeKind::WriteOff;
    type Error = Anything;

    fn subject(&self) -> String {
        self.agency_id.clone()
    }

    fn basis(&self, _: &mut WriteTx) -> Result<String, Anything> {
        Ok(self.minor.to_string())
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, Anything> {
        let amount = Money::new(self.minor, Currency::CNY);
        write_off(tx, cause.actor, AgencyId::parse(&self.agency_id)?, amount, approval)?;
        Ok(self.agency_id.clone())
    }
}

struct History {
    world: World,
    model: Model,
    contract: airsettle::agencies::Contract,
    guarantees: Vec<GuaranteeId>,
}

impl History {
    fn new(engine: Engine) -> Self {
        let world = World::on(engine);
        world.lodges_deposit("3000.00");
        world.receives(&world.receipt(Purpose::Capital, "100000.00")).unwrap();
        world.goes_to(NaiveDate::from_ymd_opt(2027, 3, 2).unwrap());
        let (late_fee_rate, financing_rate) = (crate::world::rate("0.0005"), crate::world::rate("0.06"));
        let costs = CostTerms { late_fee_rate, financing_rate, free_days: 7, ..CostTerms::default() };
        let terms = PaymentTerms { cycle_rule: CycleRule::Weekly, ..PaymentTerms::default() };
        let contract = world.signs_terms(terms, costs).contract;
        History { world, model: Model { deposit: 300_000, ..Model::default() }, contract, guarantees: Vec::new() }
    }

    fn cycle(&self, which: usize) -> Option<Cycle> {
        self.model.cycles.keys().rev().nth(which).copied()
    }

    fn takes(&mut self, one: &Move) {
        let today = self.world.today();
        match one {
            Move::Sell(fare) => self.sells(*fare),
            Move::DaysPass(days) => {
                for _ in 0..*days {
                    self.world.goes_to(self.world.today() + Days::new(1));
                    self.world.closes_the_day();
                    self.model.closes(self.world.today());
                }
            }
            Move::RemitOldest(amount) => match self.remits(Purpose::RemittanceOldestFirst(self.world.agency), *amount) {
                Ok(()) => {
                    let left = self.model.spreads(*amount, today);
                    let newest = *self.model.cycles.keys().max_by_key(|cycle| cycle.last_day()).unwrap();
                    if left > 0 {
                        self.model.lowers(newest, left, today);
                    }
                }
                Err(error) => assert!(matches!(error, ReceiptError::NothingOwed) && self.model.cycles.is_empty(), "{error}"),
            },
            Move::Remit(which, amount) => {
                if let Some(cycle) = self.cycle(*which) {
                    self.remits(Purpose::Remittance(self.world.agency, cycle), *amount).unwrap();
                    self.model.lowers(cycle, *amount, today);
                }
            }
            Move::PayCharges => {
                let owed = self.model.charges();
                if owed > 0 {
                    self.remits(Purpose::Charges(self.world.agency), owed).unwrap();
                    self.model.charges_paid += owed;
                }
                assert!(self.remits(Purpose::Charges(self.world.agency), 1).is_err() || self.model.charges() > 0);
            }
            Move::PayOut(which, amount) => self.pays_out(*which, *amount),
            Move::Default => self.defaults(),
            Move::Guarantee(amount) => {
                let new = self.world.guarantee(Money::new(*amount, Currency::CNY), "0", 3_000);
                self.guarantees.push(self.world.registers(&new).unwrap().id);
                self.model.guarantees.push(*amount);
            }
            Move::Call(which, amount) => self.calls(*which, *amount),
            Move::WriteOff => self.writes_off(),
            Move::Recover(amount) => {
                let lost = self.model.written_off - self.model.recovered;
                match self.remits(Purpose::Recovery(self.world.agency), *amount) {
                    Ok(()) => {
                        assert!(*amount <= lost);
                        self.model.recovered += amount;
                    }
                    Err(_) => assert!(*amount > lost),
                }
            }
        }
    }

    fn sells(&mut self, fare: i64) {
        let mut order = self.world.order().fare(Money::new(fare, Currency::CNY)).build();
        order.contract = self.contract.id;
        order.cycle_rule = CycleRule::Weekly;
        let split = order.tickets[0].split.clone();
        let net = split.price.minor - split.commission.minor;
        let may = !self.model.in_default && self.model.net() + self.model.charges() + net <= self.model.limit();
        match self.world.issue(order) {
            airsettle::ticketing::Outcome::Issued(issued) => {
                assert!(may);
                let sent = self.world.sends(&self.world.advance_of(&issued)).unwrap();
                self.world.bank_says(&[crate::bank::settled(&sent)]);
                let cycle = CycleRule::Weekly.cycle_of(self.world.today());
                self.model.cycles.entry(cycle).or_default().net += net;
            }
            other => assert!(!may, "{other:?}"),
        }
    }

    fn remits(&self, purpose: Purpose, minor: i64) -> Result<(), ReceiptError> {
        let amount = Money::new(minor, Currency::CNY).to_string();
        self.world.receives(&self.world.receipt(purpose, &amount)).map(drop)
    }

    fn pays_out(&mut self, which: usize, minor: i64) {
        let Some(cycle) = self.cycle(which) else { return };
        let today = self.world.today();
        let billed = |one: &Cycle| one.last_day() < today;
        let owes: i64 = self.model.cycles.iter().filter(|(one, _)| billed(one)).map(|(_, owed)| owed.net.max(0)).sum();
        let has_it = billed(&cycle) && minor <= -self.model.cycles[&cycle].net && owes + self.model.charges() <= 0;
        let may = has_it && !self.model.in_default;
        let reference = format!("OUT-{}", self.world.store.ids().block(1));
        let amount = Money::new(minor, Currency::CNY).to_string();
        match self.world.pays_out_credit(cycle, &amount, &reference) {
            Ok(()) => {
                assert!(may);
                self.model.lowers(cycle, -minor, today);
            }
            Err(error) => assert!(!may && !matches!(error, CreditPayoutError::Post(_) | CreditPayoutError::Db(_)), "{error}"),
        }
    }

    fn defaults(&mut self) {
        let today = self.world.today();
        let done = self.world.store.write(|tx| declare_default(tx, &self.world.cause(), self.world.agency, "a history"));
        match done {
            Ok(_) => {
                assert!(self.model.net() > 0 || self.model.in_default);
                self.model.in_default = true;
                self.model.carries(|_| true, today);
                let before = self.model.deposit.min(self.model.net().max(0));
                let left = self.model.spreads(before, today);
                self.model.deposit -= before - left;
            }
            Err(error) => assert!(matches!(error, DefaultError::NothingOwed) && self.model.net() <= 0, "{error}"),
        }
    }

    fn calls(&mut self, which: usize, minor: i64) {
        let Some(id) = self.guarantees.get(which).copied() else { return };
        let left = self.model.guarantees[which];
        let may = self.model.in_default && minor <= left && minor <= self.model.net();
        match self.remits(Purpose::Guarantee(self.world.agency, id), minor) {
            Ok(()) => {
                assert!(may);
                self.model.guarantees[which] -= minor;
                self.model.called += minor;
                assert_eq!(self.model.spreads(minor, self.world.today()), 0);
            }
            Err(error) => assert!(!may && matches!(error, ReceiptError::Call(_)), "{error}"),
        }
    }

    fn writes_off(&mut self) {
        let (today, open) = (self.world.today(), self.model.net());
        if self.model.in_default && open > 0 {
            let proposal = GivingUp { agency_id: self.world.agency.to_string(), minor: open };
            let asked = self.world.store.write(|tx| submit::<GivingUp, Anything>(tx, &by(ANNA), &proposal, "a history")).unwrap();
            let (Requested::New(asked) | Requested::Waiting(asked)) = asked;
            self.world.store.write(|tx| approve::<GivingUp, Anything>(tx, &by(BORIS), asked.id)).unwrap();
            self.model.carries(|_| true, today);
            self.model.spreads(open, today);
            self.model.written_off += open;
            return;
        }
        let (asked, nobody) = (Money::new(open, Currency::CNY), ApprovalId::of(1));
        let refused = self.world.store.write(|tx| write_off(tx, Actor::platform(), self.world.agency, asked, nobody));
        assert!(matches!(refused, Err(DefaultError::NotInDefault | DefaultError::OtherAmount { .. })), "{refused:?}");
    }

    fn agrees(&self) {
        let standing = self.world.standing(self.world.agency);
        let (net, charges) = (standing.receivable.checked_sub(standing.commission).unwrap(), standing.charges);
        assert_eq!((net.minor, charges.minor), (self.model.net(), self.model.charges()));
        assert_eq!(standing.deposit.minor, self.model.deposit);
        let agency = self.world.read(|db| airsettle::agencies::agency(db, self.world.agency)).unwrap();
        assert_eq!(agency.status == AgencyStatus::Frozen, self.model.in_default);
        let known = self.world.read(|db| default_of(db, self.world.agency));
        let lost = known.map_or((0, 0, 0), |row| (row.written_off_minor, row.recovered_minor, row.guarantee_minor));
        assert_eq!(lost, (self.model.written_off, self.model.recovered, self.model.called));
    }
}

fn random_histories_of_cycles_agree_with_a_model(engine: Engine) {
    let cases = if std::env::var("AIRSETTLE_TEST_LONG").is_ok_and(|value| value == "1") { 200 } else { 6 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() });
    runner
        .run(&prop::collection::vec(any_move(), 10..40), |moves| {
            let mut history = History::new(engine);
            for one in &moves {
                history.takes(one);
                history.agrees();
            }
            history.world.adds_up();
            Ok(())
        })
        .unwrap();
}
