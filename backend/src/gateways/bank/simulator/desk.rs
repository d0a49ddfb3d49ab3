//! Takes orders: decides under one lock, writes the journal, changes the books, and only then lets anyone be answered. What the
//! fault script changes about a payment's *effect* is decided here; what it changes about the *answer* is up to `routes`.

use super::{
    book::{Book, BookError, Statement},
    faults::{BadPlan, Fault, FaultPlan, Faults},
    journal::{Entry, Journal},
};
use crate::{
    clock::{Clock, Timestamp},
    gateways::bank::{PaymentOrder, PaymentStatus, callback::BankNotification, wire::WireOrder},
    money::{Money, MoneyError},
};
use chrono::NaiveDate;
use chrono_tz::Tz;
use parking_lot::Mutex;
use std::{io, path::Path};

pub struct Desk {
    state: Mutex<State>,
    clock: Clock,
    zone: Tz,
}

struct State {
    book: Book,
    journal: Journal,
    faults: Faults,
}

/// What became of an order.
#[derive(Debug, PartialEq, Eq)]
pub enum Intake {
    /// The bank takes nothing now.
    Down,
    /// The simulator holds as many payments as it can.
    Full,
    /// The reference is known with this content: the outcome as it stands.
    Known(PaymentStatus),
    /// The reference is known with another value in this field.
    Conflict(&'static str),
    /// Taken now, with the behaviour drawn for it and the state it has left the payment in.
    Taken(Fault, PaymentStatus),
}

#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("the journal cannot be written: {0}")]
    Journal(#[from] io::Error),
    #[error(transparent)]
    Book(#[from] BookError),
    #[error("the scripted amount does not fit this payment")]
    ScriptedAmount,
}

/// An outcome and whom to tell.
#[derive(Debug)]
pub struct Report {
    pub callback_url: Option<String>,
    pub notification: BankNotification,
}

impl Desk {
    pub fn open(folder: &Path, clock: Clock, zone: Tz) -> io::Result<Self> {
        let mut book = Book::default();
        let journal = Journal::open(folder, |entry| book.apply(entry).map_err(io::Error::other))?;
        Ok(Desk { state: Mutex::new(State { book, journal, faults: Faults::default() }), clock, zone })
    }

    pub fn receive(&self, order: &PaymentOrder) -> Result<Intake, DeskError> {
        let mut state = self.state.lock();
        if state.faults.is_down() {
            return Ok(Intake::Down);
        }
        if let Some(known) = state.book.payment(&order.reference) {
            if let Some(field) = known.order.differing_field(order) {
                return Ok(Intake::Conflict(field));
            }
            if !matches!(known.status, PaymentStatus::Refused { is_final: false, .. }) {
                return Ok(Intake::Known(known.status.clone()));
            }
        } else if state.book.is_full() {
            return Ok(Intake::Full);
        }
        let fault = state.faults.draw();
        if fault == Fault::Down {
            return Ok(Intake::Down);
        }
        let entries = self.entries(&state.book, order, &fault)?;
        state.commit(entries)?;
        let status = state.status(&order.reference);
        Ok(Intake::Taken(fault, status))
    }

    /// What a fault lets happen to the order, written down before any of it happens.
    fn entries(&self, book: &Book, order: &PaymentOrder, fault: &Fault) -> Result<Vec<Entry>, DeskError> {
        let (at, today) = self.now();
        let settlement = |amount| Ok::<_, DeskError>(book.settlement(order, amount, at, today)?);
        let outcome = match fault {
            Fault::DropConnection | Fault::Error500 { booked: false } | Fault::Down => return Ok(Vec::new()),
            Fault::Slow { .. } | Fault::AcceptThenCallback { .. } => {
                // Checked now, so that what is accepted can also be settled.
                settlement(order.amount)?;
                None
            }
            Fault::Refuse { code, is_final } => {
                let (reference, code) = (order.reference.clone(), code.clone());
                let reason = "the simulator was told to refuse".into();
                Some(Entry::Refused { reference, code, reason, is_final: *is_final, at })
            }
            Fault::WrongAmount { delta_minor, amount } => {
                Some(settlement(other_amount(order, *delta_minor, amount.as_deref())?)?)
            }
            Fault::Normal
            | Fault::TimeoutAfterSuccess { .. }
            | Fault::Error500 { booked: true }
            | Fault::DuplicateCallback
            | Fault::CallbackBeforeAnswer => Some(settlement(order.amount)?),
        };
        let received = Entry::Received { at, order: WireOrder::from(order) };
        Ok([Some(received), outcome].into_iter().flatten().collect())
    }

    /// Settles what was only accepted. Whoever comes second finds it done.
    pub fn settle(&self, reference: &str) -> Result<PaymentStatus, DeskError> {
        let mut state = self.state.lock();
        let payment = state.book.payment(reference).ok_or_else(|| BookError::NoPayment(reference.to_owned()))?;
        if payment.status == PaymentStatus::Accepted {
            let (at, today) = self.now();
            let entry = state.book.settlement(&payment.order, payment.order.amount, at, today)?;
            state.commit(vec![entry])?;
        }
        Ok(state.status(reference))
    }

    /// The notification about a reference, which is the same whenever it is made.
    pub fn report(&self, reference: &str) -> Option<Report> {
        let state = self.state.lock();
        let payment = state.book.payment(reference)?;
        let notification = BankNotification {
            event_id: format!("evt_{reference}"),
            reference: reference.to_owned(),
            status: payment.status.clone(),
        };
        Some(Report { callback_url: payment.order.callback_url.clone(), notification })
    }

    /// None while the bank is down.
    pub fn status(&self, reference: &str) -> Option<PaymentStatus> {
        let state = self.state.lock();
        (!state.faults.is_down()).then(|| state.status(reference))
    }

    /// None while the bank is down; without a date, today's.
    pub fn statement(&self, account: &str, date: Option<NaiveDate>, after: u64) -> Option<Statement> {
        let state = self.state.lock();
        let date = date.unwrap_or_else(|| self.now().1);
        (!state.faults.is_down()).then(|| state.book.statement(account, date, after))
    }

    pub fn is_down(&self) -> bool {
        self.state.lock().faults.is_down()
    }

    pub fn open_references(&self) -> Vec<String> {
        self.state.lock().book.open_references()
    }

    pub fn replace_plan(&self, plan: FaultPlan) -> Result<(), BadPlan> {
        self.state.lock().faults.replace(plan)
    }

    /// What is left of the plan, and whether the bank is down.
    pub fn plan(&self) -> (FaultPlan, bool) {
        let state = self.state.lock();
        (state.faults.remaining().clone(), state.faults.is_down())
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn now(&self) -> (Timestamp, NaiveDate) {
        let now = self.clock.now();
        (now, now.date_in(self.zone))
    }
}

impl State {
    fn commit(&mut self, entries: Vec<Entry>) -> Result<(), DeskError> {
        self.journal.append(&entries)?;
        for entry in entries {
            self.book.apply(entry)?;
        }
        Ok(())
    }

    fn status(&self, reference: &str) -> PaymentStatus {
        self.book.payment(reference).map_or(PaymentStatus::NotFound, |payment| payment.status.clone())
    }
}

fn other_amount(order: &PaymentOrder, delta_minor: Option<i64>, amount: Option<&str>) -> Result<Money, DeskError> {
    let currency = order.amount.currency;
    let other: Result<Money, MoneyError> = match (delta_minor, amount) {
        (Some(delta), _) => order.amount.checked_add(Money::new(delta, currency)),
        (None, Some(text)) => Money::parse(text, currency),
        (None, None) => Ok(order.amount),
    };
    other.ok().filter(|amount| amount.minor > 0).ok_or(DeskError::ScriptedAmount)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::journal::FILE_NAME, *};
    use crate::money::Currency;
    use proptest::prelude::*;
    use std::fs;

    fn order(reference: &str) -> PaymentOrder {
        PaymentOrder {
            reference: reference.into(),
            debit_account: "line".into(),
            payee_account: "airline".into(),
            payee_name: "Example Air".into(),
            amount: Money::new(91_500, Currency::CNY),
            remittance_text: String::new(),
            callback_url: None,
        }
    }

    fn open(folder: &Path) -> Desk {
        Desk::open(folder, Clock::system(), Tz::UTC).unwrap()
    }

    /// What the airline's account holds and the sum of its bookings, in minor units.
    fn credited(desk: &Desk) -> (i64, i64) {
        let state = desk.state.lock();
        let day = state.book.statement("airline", NaiveDate::MAX, 0);
        let whole = serde_json::to_value(day).unwrap();
        let closing = whole["balances"][0]["closing"].as_str().map_or(0, minor);
        let today = desk.now().1;
        let lines = serde_json::to_value(state.book.statement("airline", today, 0)).unwrap();
        let lines = lines["bookings"].as_array().unwrap().clone();
        (closing, lines.iter().map(|line| minor(line["amount"].as_str().unwrap())).sum())
    }

    fn minor(text: &str) -> i64 {
        Money::parse(text, Currency::CNY).unwrap().minor
    }

    #[test]
    fn a_journal_cut_anywhere_opens_and_every_payment_ends_booked_once() {
        let folder = tempfile::tempdir().unwrap();
        let desk = open(folder.path());
        desk.replace_plan(FaultPlan::script([Fault::Normal, Fault::Slow { ms: 0 }])).unwrap();
        for reference in ["a", "b", "c"] {
            desk.receive(&order(reference)).unwrap();
        }
        desk.settle("b").unwrap();
        drop(desk);
        let whole = fs::read(folder.path().join(FILE_NAME)).unwrap();
        for length in 0..=whole.len() {
            fs::write(folder.path().join(FILE_NAME), &whole[..length]).unwrap();
            let desk = open(folder.path());
            for reference in ["a", "b", "c"] {
                desk.receive(&order(reference)).unwrap();
                desk.settle(reference).unwrap();
            }
            assert_eq!(credited(&desk), (3 * 91_500, 3 * 91_500), "cut at {length}");
        }
    }

    fn behaviour() -> impl Strategy<Value = Fault> {
        prop_oneof![
            Just(Fault::Normal),
            Just(Fault::Slow { ms: 0 }),
            Just(Fault::Refuse { code: "AM04".into(), is_final: true }),
            Just(Fault::Refuse { code: "AM04".into(), is_final: false }),
            Just(Fault::WrongAmount { delta_minor: Some(-1), amount: None }),
            Just(Fault::Error500 { booked: true }),
            Just(Fault::DropConnection),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Tries, questions and restarts in any order: an outcome once final never changes, and the books hold each settled
        /// reference once.
        #[test]
        fn what_is_final_stays(
            steps in prop::collection::vec((0..4u8, 0..4u8), 1..40),
            script in prop::collection::vec(behaviour(), 0..20),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut desk = open(folder.path());
            desk.replace_plan(FaultPlan::script(script)).unwrap();
            let mut finals = std::collections::HashMap::new();
            for (what, which) in steps {
                let reference = format!("r{which}");
                match what {
                    0 | 1 => drop(desk.receive(&order(&reference)).unwrap()),
                    2 => drop(desk.settle(&reference)),
                    _ => {
                        drop(desk);
                        desk = open(folder.path());
                    }
                }
                let status = desk.status(&reference).unwrap();
                if let Some(known) = finals.get(&reference) {
                    prop_assert_eq!(known, &status);
                } else if status.is_final() {
                    finals.insert(reference, status);
                }
            }
            let settled = (0..4).filter_map(|which| match desk.status(&format!("r{which}")) {
                Some(PaymentStatus::Settled { amount, .. }) => Some(amount.minor),
                _ => None,
            });
            let total: i64 = settled.sum();
            prop_assert_eq!(credited(&desk), (total, total));
        }
    }
}
