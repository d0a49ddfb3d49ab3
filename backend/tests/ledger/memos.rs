//! Memos: an airline claims or grants something for tickets that are sold, the agency answers, two people decide, and only then it is booked.

use crate::approvals::{ANNA, BORIS, by};
use crate::bank::settled;
use crate::database::Engine;
use crate::settlement::tax;
use crate::world::{World, cny};
use airsettle::agencies::{Cycle, CycleRule};
use airsettle::api::code::Code;
use airsettle::api::error::ApiError;
use airsettle::api::v1::memos::DecideMemo;
use airsettle::approvals::{Approval, approve, submit};
use airsettle::db::Window;
use airsettle::ids::{AirlineId, ApprovalId, BillingStatementId, Id, MemoId};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{
    ClaimedTicket, Memo, MemoError, MemoFilter, MemoKind, MemoState, MemoStep, NewMemo, PaymentError, PaymentPurpose, Purpose,
    Said, claim_memo, contingent, memo, note_unanswered, statement_lines, take_step, unanswered,
};
use airsettle::ticketing::IssuedOrder;
use chrono::{Days, Duration, NaiveDate};
use serde_json::{Value, json};

on_both_engines!(
    a_debit_is_booked_when_two_people_have_decided_and_not_before,
    a_credit_lowers_what_the_agency_owes_and_the_airline_gives_it_back,
    what_an_airline_grants_is_set_off_against_its_next_ticket,
    a_dispute_stops_the_clock_and_taken_back_it_goes_on,
    when_the_time_is_over_the_memo_waits_for_a_decision_and_nothing_is_posted,
    nobody_decides_while_the_agency_may_still_answer,
    a_decision_about_a_memo_that_has_changed_is_asked_for_again,
    two_people_decide_and_not_one,
    what_is_dismissed_or_withdrawn_is_never_booked,
    a_part_of_a_claim_is_upheld,
    a_memo_is_a_line_of_the_statement,
    open_claims_are_contingent,
    an_airline_is_paid_what_its_memos_claimed,
);

/// Of the order's first ticket.
pub fn claim(world: &World, order: &IssuedOrder, kind: MemoKind, amount: &str) -> NewMemo {
    let number = airsettle::airlines::TicketNumber::parse(&order.tickets[0].number).unwrap();
    let reason = match kind {
        MemoKind::Adm => "fare_undercollected",
        MemoKind::Acm => "fare_overcollected",
    };
    NewMemo {
        kind,
        airline: world.airline,
        reason: reason.into(),
        tickets: vec![ClaimedTicket { number, amount: cny(amount) }],
        fee: cny("0"),
        note: "Class K was not open for sale".into(),
        evidence: Vec::new(),
    }
}

pub fn dispute() -> Said {
    let (reason, note) = (Some("waiver_granted".into()), Some("The airline's desk agreed".into()));
    Said { reason, note, ..Said::default() }
}

impl World {
    pub fn files_memo(&self, new: &NewMemo) -> Result<Memo, MemoError> {
        self.store.write(|tx| claim_memo(tx, &self.catalogue().memos, &self.cause(), new))
    }

    pub fn steps(&self, memo: MemoId, step: MemoStep) -> Result<Memo, MemoError> {
        let said = if step == MemoStep::Dispute { dispute() } else { Said::default() };
        self.step_with(memo, step, &said)
    }

    pub fn step_with(&self, memo: MemoId, step: MemoStep, said: &Said) -> Result<Memo, MemoError> {
        self.store.write(|tx| take_step(tx, &self.catalogue().memos, &self.cause(), memo, step, said))
    }

    pub fn memo_now(&self, id: MemoId) -> Memo {
        self.read(|db| memo(db, id)).unwrap()
    }

    pub fn memo_state(&self, id: MemoId) -> MemoState {
        self.memo_now(id).state_at(self.clock.now())
    }

    fn asks_about(&self, key: i64, change: &Value) -> Result<Approval, ApiError> {
        let proposal: DecideMemo = serde_json::from_value(change.clone()).unwrap();
        let asked = self.store.write(|tx| submit::<DecideMemo, ApiError>(tx, &by(key), &proposal, "it is in the tariff"))?;
        Ok(asked.approval().clone())
    }

    fn agrees_to(&self, key: i64, approval: ApprovalId) -> Result<Approval, ApiError> {
        self.store.write(|tx| approve::<DecideMemo, ApiError>(tx, &by(key), approval))
    }

    /// One asks for it and another agrees; nothing: it is dismissed.
    pub fn decides_about(&self, id: MemoId, amount: Option<Money>) -> Result<Memo, ApiError> {
        let asked = self.asks_about(ANNA, &verdict(id, amount))?;
        self.agrees_to(BORIS, asked.id)?;
        Ok(self.memo_now(id))
    }

    pub fn trades_on_credit(&self) -> Cycle {
        self.lodges_deposit("9000.00");
        self.goes_to(NaiveDate::from_ymd_opt(2027, 3, 2).unwrap());
        CycleRule::HalfMonthly.cycle_of(self.today())
    }

    fn told_of_memos(&self) -> Vec<String> {
        self.texts("SELECT kind AS value FROM event WHERE kind LIKE 'memo.%' ORDER BY id")
    }
}

fn verdict(id: MemoId, amount: Option<Money>) -> Value {
    match amount {
        Some(amount) => json!({ "memo_id": id.to_string(), "decision": "uphold", "amount": amount.to_string(),
            "currency": amount.currency.code() }),
        None => json!({ "memo_id": id.to_string(), "decision": "dismiss" }),
    }
}

/// An airline that was paid for a ticket claims 120.00 of its agency.
fn claimed(engine: Engine) -> (World, MemoId) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let id = world.files_memo(&claim(&world, &order, MemoKind::Adm, "120.00")).unwrap().id;
    (world, id)
}

fn a_debit_is_booked_when_two_people_have_decided_and_not_before(engine: Engine) {
    let world = World::on(engine);
    let cycle = world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let before = world.balances();
    let new = NewMemo { fee: cny("30.00"), ..claim(&world, &order, MemoKind::Adm, "120.00") };
    let id = world.files_memo(&new).unwrap().id;
    assert_eq!((world.memo_state(id), world.memo_now(id).total().unwrap()), (MemoState::Issued, cny("150.00")));
    world.steps(id, MemoStep::Review).unwrap();
    world.steps(id, MemoStep::Dispute).unwrap();
    world.steps(id, MemoStep::Answer).unwrap();
    assert_eq!((world.balances(), world.exposure()), (before, cny("970.00")), "a claim is no debt");
    let asked = world.asks_about(ANNA, &verdict(id, Some(cny("150.00")))).unwrap();
    assert_eq!(world.exposure(), cny("970.00"));
    world.agrees_to(BORIS, asked.id).unwrap();
    let decided = world.memo_now(id);
    assert_eq!((world.memo_state(id), decided.decided), (MemoState::Posted, Some(cny("150.00"))));
    assert_eq!((decided.row.cycle.as_deref(), decided.row.approval_id), (Some(&*cycle.to_string()), Some(asked.id.raw())));
    assert_eq!(world.exposure(), cny("1120.00"));
    assert_eq!(world.standing(world.agency).receivable, cny("1150.00"));
    let told = ["issued", "reviewed", "disputed", "answered", "posted"].map(|what| format!("memo.{what}"));
    assert_eq!(world.told_of_memos(), told);
    world.adds_up();
    // The worked case with a memo: the agency pays it, the airline gets it, and the platform earns as before.
    world.time_passes(Duration::days(7));
    world.accrues(None).unwrap();
    world.remits("1120.00", cycle).unwrap();
    assert_eq!(world.exposure(), cny("0.00"));
    world.pays(world.repayment("915.00", "1.07")).unwrap();
    world.pays(tax("50.00")).unwrap();
    world.pays(PaymentPurpose::Airline { airline: world.airline, amount: cny("150.00") }).unwrap();
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 9000.00",
            "platform.cash[client] 9000.00",
            "platform.cash[own] 3.93",
            "platform.fee_income 5.00",
            "platform.interest_expense -1.07",
        ]
    );
    world.adds_up();
}

fn a_credit_lowers_what_the_agency_owes_and_the_airline_gives_it_back(engine: Engine) {
    let world = World::on(engine);
    let cycle = world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let id = world.files_memo(&claim(&world, &order, MemoKind::Acm, "100.00")).unwrap().id;
    world.steps(id, MemoStep::Accept).unwrap();
    assert_eq!(world.exposure(), cny("970.00"), "accepted is not decided");
    world.decides_about(id, Some(cny("100.00"))).unwrap();
    assert_eq!(world.exposure(), cny("870.00"));
    let claimed = world.texts("SELECT terms AS value FROM airline_claim WHERE memo_id IS NOT NULL AND amount_minor = 10000");
    assert_eq!(claimed, ["set_off"]);
    world.adds_up();
    world.time_passes(Duration::days(7));
    world.accrues(None).unwrap();
    world.remits("870.00", cycle).unwrap();
    world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), "100.00")).unwrap();
    world.pays(world.repayment("915.00", "1.07")).unwrap();
    world.pays(tax("50.00")).unwrap();
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 9000.00",
            "platform.cash[client] 9000.00",
            "platform.cash[own] 3.93",
            "platform.fee_income 5.00",
            "platform.interest_expense -1.07",
        ]
    );
    world.adds_up();
}

fn what_an_airline_grants_is_set_off_against_its_next_ticket(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let id = world.files_memo(&claim(&world, &order, MemoKind::Acm, "100.00")).unwrap().id;
    world.steps(id, MemoStep::Accept).unwrap();
    world.decides_about(id, Some(cny("100.00"))).unwrap();
    let next = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&next)).unwrap();
    assert_eq!((sent.set_off, sent.outstanding()), (cny("100.00"), cny("815.00")));
    world.bank_says(&[crate::bank::settled_at(&sent, cny("815.00"))]);
    assert_eq!(world.line().drawn, cny("1730.00"));
    world.adds_up();
}

fn a_dispute_stops_the_clock_and_taken_back_it_goes_on(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let memo = world.files_memo(&claim(&world, &order, MemoKind::Adm, "120.00")).unwrap();
    let (id, by) = (memo.id, memo.answer_by.unwrap());
    // The end of the fifteenth day after the day of issue, at the point of sale.
    assert_eq!(by.date_in(chrono_tz::Asia::Shanghai), world.today() + Days::new(16));
    world.time_passes(Duration::days(10));
    let left = by.since(world.clock.now());
    let disputed = world.steps(id, MemoStep::Dispute).unwrap();
    assert!(disputed.answer_by.is_none() && (left - disputed.left.unwrap()).num_seconds().abs() <= 2);
    world.time_passes(Duration::days(40));
    assert_eq!(world.memo_state(id), MemoState::Disputed, "the clock stands still");
    assert!(world.read(|db| unanswered(db, world.clock.now(), 10)).is_empty());
    let back = world.steps(id, MemoStep::WithdrawDispute).unwrap();
    assert_eq!(back.state_at(world.clock.now()), MemoState::UnderReview);
    assert!((back.answer_by.unwrap().since(world.clock.now()) - left).num_seconds().abs() <= 2);
    world.time_passes(left);
    world.time_passes(Duration::seconds(2));
    assert_eq!(world.memo_state(id), MemoState::Unanswered);
    world.adds_up();
}

fn when_the_time_is_over_the_memo_waits_for_a_decision_and_nothing_is_posted(engine: Engine) {
    let (world, id) = claimed(engine);
    let before = world.balances();
    world.time_passes(Duration::days(200));
    assert_eq!(world.read(|db| unanswered(db, world.clock.now(), 10)), [id]);
    assert!(world.store.write(|tx| note_unanswered(tx, id)).unwrap());
    assert!(!world.store.write(|tx| note_unanswered(tx, id)).unwrap(), "once");
    assert!(world.read(|db| unanswered(db, world.clock.now(), 10)).is_empty());
    assert_eq!((world.balances(), world.memo_state(id)), (before, MemoState::Unanswered));
    assert_eq!(world.told_of_memos(), ["memo.issued", "memo.unanswered"]);
    let late = world.steps(id, MemoStep::Dispute).unwrap_err();
    assert!(matches!(late, MemoError::TooLate(_)), "{late}");
    world.decides_about(id, Some(cny("120.00"))).unwrap();
    // It belongs to the cycle in which it is decided, long after that of its ticket.
    let cycle = CycleRule::HalfMonthly.cycle_of(world.today()).to_string();
    assert_eq!(world.memo_now(id).row.cycle, Some(cycle));
    world.adds_up();
}

fn nobody_decides_while_the_agency_may_still_answer(engine: Engine) {
    let (world, id) = claimed(engine);
    for _ in 0..2 {
        let early = world.decides_about(id, Some(cny("120.00"))).unwrap_err();
        assert_eq!(early.code(), Code::MemoClockRunning);
        let _ = world.steps(id, MemoStep::Review);
    }
    world.adds_up();
}

fn a_decision_about_a_memo_that_has_changed_is_asked_for_again(engine: Engine) {
    let (world, id) = claimed(engine);
    world.steps(id, MemoStep::Dispute).unwrap();
    let asked = world.asks_about(ANNA, &verdict(id, Some(cny("120.00")))).unwrap();
    world.steps(id, MemoStep::Answer).unwrap();
    assert_eq!(world.agrees_to(BORIS, asked.id).unwrap_err().code(), Code::ApprovalStale);
    assert_eq!(world.memo_state(id), MemoState::Answered);
    let again = world.asks_about(ANNA, &verdict(id, Some(cny("120.00")))).unwrap();
    assert_ne!(again.id, asked.id);
    // The agency gives in, but nobody may decide from then on until it has said so.
    world.steps(id, MemoStep::WithdrawDispute).unwrap();
    assert_eq!(world.agrees_to(BORIS, again.id).unwrap_err().code(), Code::MemoClockRunning);
    world.steps(id, MemoStep::Accept).unwrap();
    assert_eq!(world.agrees_to(BORIS, again.id).unwrap_err().code(), Code::ApprovalStale);
    world.decides_about(id, Some(cny("120.00"))).unwrap();
    assert_eq!(world.memo_state(id), MemoState::Posted);
    world.adds_up();
}

fn two_people_decide_and_not_one(engine: Engine) {
    let (world, id) = claimed(engine);
    world.steps(id, MemoStep::Accept).unwrap();
    let asked = world.asks_about(ANNA, &verdict(id, Some(cny("120.00")))).unwrap();
    assert_eq!(world.agrees_to(ANNA, asked.id).unwrap_err().code(), Code::SelfApproval);
    assert_eq!(world.memo_state(id), MemoState::Accepted);
    world.agrees_to(BORIS, asked.id).unwrap();
    assert_eq!(world.agrees_to(BORIS, asked.id).unwrap_err().code(), Code::ApprovalDecided);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'adm_posted'"), 1);
    world.adds_up();
}

fn what_is_dismissed_or_withdrawn_is_never_booked(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let before = world.balances();
    let first = world.files_memo(&claim(&world, &order, MemoKind::Adm, "120.00")).unwrap().id;
    world.steps(first, MemoStep::Dispute).unwrap();
    let asked = world.asks_about(ANNA, &verdict(first, Some(cny("120.00")))).unwrap();
    world.steps(first, MemoStep::Withdraw).unwrap();
    assert_eq!(world.agrees_to(BORIS, asked.id).unwrap_err().code(), Code::InvalidState);
    // Taken back, it may be filed again.
    let second = world.files_memo(&claim(&world, &order, MemoKind::Adm, "110.00")).unwrap().id;
    world.steps(second, MemoStep::Dispute).unwrap();
    world.decides_about(second, None).unwrap();
    assert_eq!(world.memo_state(second), MemoState::Dismissed);
    assert!(matches!(world.steps(second, MemoStep::Withdraw), Err(MemoError::State(MemoState::Dismissed))));
    let again = world.files_memo(&claim(&world, &order, MemoKind::Adm, "110.00"));
    assert!(matches!(again, Err(MemoError::Claimed { .. })), "what was dismissed is not claimed again");
    assert_eq!(world.balances(), before);
    world.adds_up();
}

fn a_part_of_a_claim_is_upheld(engine: Engine) {
    let (world, id) = claimed(engine);
    world.steps(id, MemoStep::Dispute).unwrap();
    for (amount, code) in [("120.01", Code::MoreThanOwed), ("0.00", Code::InvalidValue), ("-1.00", Code::InvalidValue)] {
        let refused = world.decides_about(id, Some(cny(amount))).unwrap_err();
        assert_eq!((refused.code(), refused.items()[0].pointer()), (code, Some("/data/change/amount")), "{amount}");
    }
    let dollars = Money::parse("1.00", Currency::parse("USD").unwrap()).unwrap();
    assert_eq!(world.decides_about(id, Some(dollars)).unwrap_err().code(), Code::CurrencyMismatch);
    world.decides_about(id, Some(cny("70.50"))).unwrap();
    assert_eq!(world.exposure(), cny("1040.50"));
    world.adds_up();
}

fn a_memo_is_a_line_of_the_statement(engine: Engine) {
    let world = World::on(engine);
    let cycle = world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let debit = world.files_memo(&claim(&world, &order, MemoKind::Adm, "120.00")).unwrap().id;
    let credit = world.files_memo(&claim(&world, &order, MemoKind::Acm, "20.00")).unwrap().id;
    let open = NewMemo { reason: "tax_undercollected".into(), ..claim(&world, &order, MemoKind::Adm, "5.00") };
    world.files_memo(&open).unwrap();
    for (id, amount) in [(debit, "120.00"), (credit, "20.00")] {
        world.steps(id, MemoStep::Accept).unwrap();
        world.decides_about(id, Some(cny(amount))).unwrap();
    }
    world.goes_to(cycle.last_day() + Days::new(1));
    let billed = world.bills().remove(0);
    assert_eq!(billed.billed_minor, 97_000 + 12_000 - 2_000);
    let id = BillingStatementId::of(billed.statement_id);
    let lines = world.read(|db| statement_lines(db, id, Window::NewerThan(0), 100));
    let shown: Vec<(&str, &str, i64)> =
        lines.iter().map(|line| (line.kind.as_str(), line.document.as_str(), line.gross_minor)).collect();
    let (debit, credit) = (debit.to_string(), credit.to_string());
    let expected =
        [("sale", order.tickets[0].number.as_str(), 100_000), ("adm", debit.as_str(), 12_000), ("acm", credit.as_str(), -2_000)];
    assert_eq!(shown, expected);
    world.adds_up();
    world.remits("1070.00", cycle).unwrap();
    assert_eq!(world.obligation(&cycle.to_string()).state, "paid");
    world.adds_up();
    // An agency that sold nothing in a cycle is billed for what was decided in it.
    let more = NewMemo { reason: "void_not_permitted".into(), ..claim(&world, &order, MemoKind::Adm, "30.00") };
    let more = world.files_memo(&more).unwrap().id;
    world.steps(more, MemoStep::Accept).unwrap();
    world.decides_about(more, Some(cny("30.00"))).unwrap();
    let next = CycleRule::HalfMonthly.cycle_of(world.today());
    world.goes_to(next.last_day() + Days::new(1));
    assert_eq!(world.bills().remove(0).billed_minor, 3_000);
    world.adds_up();
}

fn open_claims_are_contingent(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let totals = |filter: &MemoFilter| -> Vec<(MemoKind, i64, String)> {
        let found = world.read(|db| contingent(db, filter));
        found.into_iter().map(|one| (one.kind, one.memos, one.amount.to_string())).collect()
    };
    let all = MemoFilter::default();
    assert!(totals(&all).is_empty());
    let debit = NewMemo { fee: cny("30.00"), ..claim(&world, &order, MemoKind::Adm, "120.00") };
    let debit = world.files_memo(&debit).unwrap().id;
    let tax = NewMemo { reason: "tax_undercollected".into(), ..claim(&world, &order, MemoKind::Adm, "5.00") };
    world.files_memo(&tax).unwrap();
    world.files_memo(&claim(&world, &order, MemoKind::Acm, "20.00")).unwrap();
    assert_eq!(totals(&all), [(MemoKind::Acm, 1, "20.00".to_owned()), (MemoKind::Adm, 2, "155.00".to_owned())]);
    let prepaid = MemoFilter { agencies: Some(vec![world.prepaid]), ..MemoFilter::default() };
    assert!(totals(&prepaid).is_empty());
    world.steps(debit, MemoStep::Accept).unwrap();
    assert_eq!(totals(&all)[1].1, 2, "accepted is still open");
    world.decides_about(debit, Some(cny("150.00"))).unwrap();
    assert_eq!(totals(&all), [(MemoKind::Acm, 1, "20.00".to_owned()), (MemoKind::Adm, 1, "5.00".to_owned())]);
    world.adds_up();
}

fn an_airline_is_paid_what_its_memos_claimed(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
    let order = world.sells(world.order());
    let pays = |amount: &str| world.pays(PaymentPurpose::Airline { airline: world.airline, amount: cny(amount) });
    // What its ticket carries is the advance's to pay.
    assert!(matches!(pays("0.01"), Err(PaymentError::MoreThanOwed { owed, .. }) if owed == cny("0.00")));
    let reasons = ["fare_undercollected", "tax_undercollected"];
    let ids = reasons.map(|reason| {
        let new = NewMemo { reason: reason.into(), ..claim(&world, &order, MemoKind::Adm, "100.00") };
        let id = world.files_memo(&new).unwrap().id;
        world.steps(id, MemoStep::Accept).unwrap();
        world.decides_about(id, Some(cny("100.00"))).unwrap().id
    });
    assert!(matches!(pays("200.01"), Err(PaymentError::MoreThanOwed { owed, .. }) if owed == cny("200.00")));
    pays("130.00").unwrap();
    assert_eq!(ids.map(|id| world.memo_now(id).paid), [cny("100.00"), cny("30.00")]);
    assert!(matches!(pays("70.01"), Err(PaymentError::MoreThanOwed { owed, .. }) if owed == cny("70.00")));
    let nobody = world.pays(PaymentPurpose::Airline { airline: AirlineId::of(1), amount: cny("1.00") });
    assert!(matches!(nobody, Err(PaymentError::NoAirline)));
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[settled(&sent)]);
    pays("70.00").unwrap();
    assert!(!world.balances().iter().any(|line| line.starts_with("airline.payable")));
    world.adds_up();
}
