//! Random histories of sales, receipts, freezes, bank answers and changed limits: after every step the books are proved and the
//! world is what a model in plain numbers says.
//!
//! The short run repeats fixed seeds; AIRSETTLE_TEST_LONG=1 makes longer ones from new seeds, AIRSETTLE_TEST_SEED repeats one.

use crate::bank::settled;
use crate::database::Engine;
use crate::model::{BankWord, Buyer, Model, Payment, State};
use crate::world::{World, cny};
use airsettle::agencies::AgencyStatus;
use airsettle::ledger::{AccountKey, Purse, balances, seal_pending};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{NewReceipt, Purpose};
use airsettle::ticketing::{IssueOrder, Outcome};

on_both_engines!(random_histories_end_as_the_model_says);

/// Small enough that everything runs out now and then.
const CAP: i64 = 4_000_000;
const LINE: i64 = 1_200_000;
const SEATS: i64 = 60;
const BUCKETS: u64 = 3;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(length).unwrap())).unwrap()
    }

    fn amount(&mut self, at_most: u64) -> i64 {
        i64::try_from(1 + self.roll(at_most)).unwrap()
    }
}

struct History {
    world: World,
    model: Model,
    dice: Dice,
    /// Commands that were answered, to be repeated later.
    known: Vec<(IssueOrder, bool)>,
}

fn random_histories_end_as_the_model_says(engine: Engine) {
    let long = std::env::var("AIRSETTLE_TEST_LONG").is_ok_and(|value| value == "1");
    let (seeds, steps): (Vec<u64>, usize) = match std::env::var("AIRSETTLE_TEST_SEED") {
        Ok(seed) => (vec![seed.parse().unwrap()], if long { 400 } else { 80 }),
        Err(_) if long => {
            let now = u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap();
            ((0..5).map(|step| now + step).collect(), 400)
        }
        Err(_) => (vec![1, 2, 3], 80),
    };
    for seed in seeds {
        println!("AIRSETTLE_TEST_SEED={seed}, {steps} steps");
        let mut history = History::begin(engine, seed);
        for step in 0..steps {
            let what = history.step();
            history.compare(&format!("seed {seed}, step {step}: {what}"));
        }
        history.end();
    }
}

impl History {
    fn begin(engine: Engine, seed: u64) -> Self {
        let world = World::on(engine);
        world.adopts_policy("1", &Money::new(CAP, Currency::CNY).to_string());
        world.sets_facility_limit(&Money::new(LINE, Currency::CNY).to_string());
        // Histories take as long as they take; how age closes a line is shown elsewhere.
        world.database.as_owner("UPDATE facility SET max_unresolved_secs = 1000000").unwrap();
        History { world, model: Model::new(CAP, LINE, SEATS), dice: Dice(seed), known: Vec::new() }
    }

    fn step(&mut self) -> String {
        match self.dice.roll(100) {
            // What stops sales does not last.
            0..25 if self.model.frozen => self.freezes_or_thaws(),
            0..15 if self.model.state.closed.is_some() => self.reopens(),
            0..40 => self.orders(),
            40..47 => self.repeats(),
            47..60 => self.receives(),
            60..62 => self.freezes_or_thaws(),
            62..93 => self.pays(),
            93..97 => self.changes_the_line(),
            _ => self.seals(),
        }
    }

    /// One to four orders in one commit, decided in this order.
    fn orders(&mut self) -> String {
        let count = 1 + self.dice.index(4);
        let (mut batch, mut expected, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let buyer = [Buyer::Credit, Buyer::CreditThenWallet, Buyer::Prepaid][self.dice.index(3)];
            let (tickets, fare) = (1 + self.dice.index(3), 1_000 + self.dice.amount(60_000));
            let flight = i64::try_from(8_000 + self.dice.roll(BUCKETS)).unwrap();
            let order = self.world.order().tickets(tickets).fare(Money::new(fare, Currency::CNY)).on_flight(flight, SEATS);
            let order = match buyer {
                Buyer::Credit => order,
                Buyer::CreditThenWallet => order.by_balance(),
                Buyer::Prepaid => order.by_wallet(),
            };
            let keyed = self.dice.roll(2) == 0;
            let order = if keyed { order.keyed(&format!("key-{}", self.known.len() + batch.len())) } else { order };
            let order = order.build();
            expected.push(self.model.sells(&order, buyer));
            words.push(format!("{buyer:?} {tickets} x {fare} on {flight}"));
            batch.push(order);
        }
        for ((outcome, expected), order) in self.world.issues(&batch).into_iter().zip(expected).zip(batch) {
            match (outcome, &expected) {
                (Outcome::Issued(_), Ok(())) => self.known.push((order, true)),
                (Outcome::Refused(refusal), Err(wanted)) => {
                    assert_eq!(&refusal, wanted, "{words:?}");
                    self.known.push((order, false));
                }
                (outcome, expected) => panic!("{words:?}: {expected:?} was expected, not {outcome:?}"),
            }
        }
        words.join(", ")
    }

    /// A client asks again; a refusal without a key may be decided anew, so only what is remembered is asked for.
    fn repeats(&mut self) -> String {
        let remembered: Vec<&(IssueOrder, bool)> =
            self.known.iter().filter(|(order, sold)| *sold || order.key.is_explicit()).collect();
        if remembered.is_empty() {
            return "nothing to repeat".into();
        }
        let (order, sold) = remembered[self.dice.index(remembered.len())].clone();
        let again = IssueOrder { claim: self.world.store.ids().block(1), ..order };
        match (self.world.issue(again), sold) {
            (Outcome::Replayed(_), true) | (Outcome::RefusedBefore(_), false) => "repeated".into(),
            (other, sold) => panic!("sold before: {sold}, now {other:?}"),
        }
    }

    fn receives(&mut self) -> String {
        let (amount, wallet) = (self.dice.amount(900_000), [None, Some(0), Some(1)][self.dice.index(3)]);
        let agency = if wallet == Some(1) { self.world.prepaid } else { self.world.agency };
        let purpose = if wallet.is_some() { Purpose::Wallet(agency) } else { Purpose::Deposit(agency) };
        let new = NewReceipt { amount: Money::new(amount, Currency::CNY), ..self.world.receipt(purpose, "1.00") };
        for _ in 0..1 + self.dice.index(2) {
            self.world.receives(&new).unwrap();
        }
        self.model.receives(amount, wallet);
        format!("{purpose:?} {amount}")
    }

    fn freezes_or_thaws(&mut self) -> String {
        self.model.frozen = !self.model.frozen;
        self.world.sets_status(if self.model.frozen { AgencyStatus::Frozen } else { AgencyStatus::Active });
        format!("frozen: {}", self.model.frozen)
    }

    /// Sends some advance, or lets the bank say something about it, up to three times in one call.
    fn pays(&mut self) -> String {
        let advances = self.world.advances();
        assert_eq!(advances.len(), self.model.payments.len());
        if advances.is_empty() {
            return "nothing to pay".into();
        }
        let index = self.dice.index(advances.len());
        let advance = &advances[index];
        if self.dice.roll(3) == 0 {
            self.world.sends(advance);
            self.model.sends(index);
            return format!("send {index}");
        }
        let words: Vec<BankWord> =
            (0..1 + self.dice.index(3)).map(|_| BankWord::HEARD[self.dice.index(BankWord::HEARD.len())]).collect();
        let outcomes: Vec<_> = words.iter().map(|word| word.about(advance)).collect();
        self.world.bank_says(&outcomes);
        words.iter().for_each(|word| self.model.hears(index, *word));
        format!("{words:?} about {index}")
    }

    fn reopens(&mut self) -> String {
        let reopened = self.world.reopens_line().is_ok();
        assert_eq!(reopened, !self.model.line_is_in_doubt());
        if reopened {
            self.model.state.closed = None;
        }
        format!("reopen: {reopened}")
    }

    fn changes_the_line(&mut self) -> String {
        let limit = self.dice.amount(u64::try_from(2 * LINE).unwrap());
        self.world.sets_facility_limit(&Money::new(limit, Currency::CNY).to_string());
        self.model.state.line_limit = limit;
        format!("line {limit}")
    }

    fn seals(&mut self) -> String {
        format!("{} seals", self.world.write(|tx| Ok(seal_pending(tx)?)).len())
    }

    fn compare(&self, what: &str) {
        assert_eq!(observed(&self.world), self.model.state, "{what}");
        let proof = self.world.ledger_proof();
        assert!(proof.is_ok(), "{what}: {proof:?}");
        let fault = self.world.sale_fault();
        assert!(fault.is_none(), "{what}: {fault:?}");
    }

    /// In the end the bank pays everything that is still open, once.
    fn end(mut self) {
        for index in 0..self.model.payments.len() {
            if self.model.payments[index].state == Payment::Paid {
                continue;
            }
            let advance = self.world.advances().swap_remove(index);
            let sent = self.world.sends(&advance).unwrap();
            self.model.sends(index);
            self.world.bank_says(&[settled(&sent)]);
            self.model.hears(index, BankWord::Settled);
        }
        self.compare("the end");
        assert_eq!(self.model.state.paid, self.model.state.tickets);
        assert_eq!(self.world.line().held, cny("0.00"));
    }
}

/// The same numbers, read from the world.
fn observed(world: &World) -> State {
    let (on_credit, prepaid, line) = (world.standing(world.agency), world.standing(world.prepaid), world.line());
    let cash = AccountKey::cash(Purse::Client, Currency::CNY);
    let client_cash = world.read(|db| balances(db, &[cash])).pop().map_or(0, |(_, balance)| balance.minor);
    let flights = world.numbers("SELECT id AS value FROM seat_bucket WHERE sold > 0 ORDER BY id");
    let sold = world.numbers("SELECT sold AS value FROM seat_bucket WHERE sold > 0 ORDER BY id");
    State {
        deposit: on_credit.deposit.minor,
        exposure: on_credit.exposure().unwrap().minor,
        wallets: [on_credit.wallet.minor, prepaid.wallet.minor],
        client_cash,
        line_limit: line.facility.limit.minor,
        drawn: line.drawn.minor,
        held: line.held.minor,
        unconfirmed: line.facility.unconfirmed,
        closed: line.facility.closed_reason,
        seats_sold: flights.into_iter().zip(sold).collect(),
        tickets: world.tickets(),
        paid: world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'advance_confirmed'"),
    }
}
