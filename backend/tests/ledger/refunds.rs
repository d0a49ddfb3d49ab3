//! Refunds: the golden rows of the design in every advance state, on credit and from the wallet; what a ladder keeps; parts; refusals.

use crate::bank::{refused, settled, settled_at, silence};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::{Advance, AdvanceState};
use airsettle::ids::{AttachmentId, Id, OrderId, RefundApplicationId};
use airsettle::settlement::Purpose;
use airsettle::ticketing::{
    Application, ApplicationRow, IssuedOrder, RefundDecision, RefundError, RefundKind, RefundRequest, RefundStatus, WantedTicket,
    complete_refund, confirm_refund, decide_refund, note_overdue, overdue_count, quote_refund,
};
use chrono::{Duration, NaiveDateTime};

on_both_engines!(
    the_worked_ticket_comes_back_as_the_design_says_in_every_advance_state,
    what_was_on_its_way_is_claimed_or_dropped_when_the_bank_has_spoken,
    the_wallet_gets_back_what_the_design_says,
    a_paid_wallet_ticket_waits_for_the_airlines_money_and_completes_by_itself,
    own_money_covers_a_wallet_until_the_airline_gives_it_back,
    the_refund_belongs_to_the_tickets_cycle_until_that_is_billed,
    a_refund_in_a_later_cycle_is_a_credit_of_that_cycle,
    the_ladder_counts_at_the_moment_of_the_quote_and_the_boundary_is_the_later_side,
    a_quote_ends_with_its_step_of_the_ladder,
    infants_pay_no_fee,
    each_coupon_pays_by_its_own_departure,
    coupons_after_each_other_are_the_ticket_exactly,
    only_the_passengers_who_are_asked_for,
    used_coupons_never_come_back_and_what_the_airline_controls_waits,
    an_involuntary_refund_keeps_nothing_and_a_person_decides,
    a_medical_refund_needs_evidence,
    a_rejected_application_changes_nothing,
    taxes_alone_come_back_of_a_fare_that_does_not,
    a_second_amount_is_decided_and_never_more_than_was_kept,
    an_airline_that_pays_commission_and_fee_gives_back_more_than_it_got,
    a_refund_of_a_void_ticket_is_refused,
    a_stale_amount_or_a_late_confirmation_changes_nothing,
    two_confirmations_refund_once,
    a_refunded_seat_can_be_sold_again,
    what_is_not_settled_in_seven_working_days_is_overdue,
    set_off_pays_the_airline_for_the_next_ticket,
);

/// Clawback, fee on refund, and what comes back of airline, commission and fee; the rest of 810.00 is the tax.
const ROWS: [(&str, &str, &str, &str, &str); 4] = [
    ("full", "refunded", "725.00", "30.00", "5.00"),
    ("full", "kept", "730.00", "30.00", "0.00"),
    ("pro_rata", "kept", "736.00", "24.00", "0.00"),
    ("none", "kept", "760.00", "0.00", "0.00"),
];

const STATES: [AdvanceState; 6] = [
    AdvanceState::Held,
    AdvanceState::Sent,
    AdvanceState::Unknown,
    AdvanceState::Failed,
    AdvanceState::Confirmed,
    AdvanceState::SetOff,
];

pub fn wish(order: &IssuedOrder, kind: RefundKind) -> RefundRequest {
    let order = OrderId::of(order.order.id);
    RefundRequest { order, kind, tickets: Vec::new(), amount: None, reason: None, evidence: Vec::new() }
}

/// Some coupons of the order's ticket at this place.
fn coupons(order: &IssuedOrder, ticket: usize, numbers: &[i64]) -> RefundRequest {
    let tickets = vec![WantedTicket { ticket: order.tickets[ticket].id, coupons: numbers.to_vec() }];
    RefundRequest { tickets, ..wish(order, RefundKind::Voluntary) }
}

fn with_reason(request: RefundRequest) -> RefundRequest {
    RefundRequest { reason: Some("flight cancelled".into()), ..request }
}

impl World {
    pub fn quotes_refund(&self, request: &RefundRequest) -> Result<Application, RefundError> {
        self.store.write(|tx| quote_refund(tx, self.catalogue(), &self.cause(), request))
    }

    pub fn confirms_refund(&self, quote: &Application) -> Result<Application, RefundError> {
        self.confirms_refund_at(quote, quote.row.refund_minor)
    }

    fn confirms_refund_at(&self, quote: &Application, minor: i64) -> Result<Application, RefundError> {
        let (id, expected) = (RefundApplicationId::of(quote.row.id), airsettle::money::Money::new(minor, cny("0.00").currency));
        self.store.write(|tx| confirm_refund(tx, &self.catalogue().calendar, &self.cause(), id, expected))
    }

    pub fn decides(&self, application: &Application, decision: RefundDecision) -> Result<Application, RefundError> {
        let id = RefundApplicationId::of(application.row.id);
        self.store.write(|tx| decide_refund(tx, &self.cause(), id, &decision, None))
    }

    pub fn completes(&self, application: &Application) -> Application {
        let id = RefundApplicationId::of(application.row.id);
        self.store.write(|tx| complete_refund(tx, &self.cause(), id)).unwrap()
    }

    /// Quotes and confirms; what a person decides is approved.
    pub fn refunds_as(&self, request: &RefundRequest) -> Result<Application, RefundError> {
        let quote = self.quotes_refund(request)?;
        let confirmed = self.confirms_refund(&quote)?;
        if request.kind.needs_decision() { self.decides(&confirmed, RefundDecision::Approve) } else { Ok(confirmed) }
    }

    /// A refund that must succeed.
    fn gives_back(&self, request: &RefundRequest) -> Application {
        let done = self.refunds_as(request).unwrap();
        self.adds_up();
        done
    }

    fn coupon_statuses(&self) -> Vec<String> {
        self.texts("SELECT status AS value FROM coupon ORDER BY id")
    }
}

fn amounts(row: &ApplicationRow) -> [i64; 4] {
    [row.fare_minor, row.tax_minor, row.penalty_minor, row.refund_minor]
}

fn world_on(engine: Engine, (clawback, fee, ..): (&str, &str, &str, &str, &str)) -> World {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    let terms = format!("UPDATE contract SET clawback = '{clawback}', fee_on_refund = '{fee}'");
    world.database.as_owner(&terms).unwrap();
    world
}

fn plain(engine: Engine) -> World {
    world_on(engine, ROWS[0])
}

/// Brings an order's advance into a state; the attempt that is under way then.
fn bring(world: &World, order: &IssuedOrder, state: AdvanceState) -> Advance {
    let sent = (state != AdvanceState::Held).then(|| world.sends(&world.advance_of(order)));
    if let Some(Some(sent)) = sent {
        match state {
            AdvanceState::Unknown => drop(world.bank_says(&[silence(&sent)])),
            AdvanceState::Failed => drop(world.bank_says(&[refused(&sent)])),
            AdvanceState::Confirmed => drop(world.bank_says(&[settled_at(&sent, sent.outstanding())])),
            _ => {}
        }
    }
    let advance = world.advance_of(order);
    assert_eq!(advance.state, state);
    advance
}

/// The worked ticket in class K of Donghai, which keeps 190.00 of it.
fn class_k(world: &World, state: AdvanceState) -> IssuedOrder {
    if state == AdvanceState::SetOff {
        let first = world.sells(world.order());
        bring(world, &first, AdvanceState::Confirmed);
        world.voids(&first);
    }
    let order = world.sells(world.order().flown_by("DZ", 'K'));
    bring(world, &order, state);
    order
}

/// Accounts that are not empty, without the deposit.
fn moved(world: &World) -> Vec<String> {
    let deposit = ["agency.deposit", "platform.cash[client]"];
    world.balances().into_iter().filter(|line| !deposit.iter().any(|own| line.starts_with(own))).collect()
}

fn lines(accounts: &[(&str, &str)]) -> Vec<String> {
    accounts.iter().filter(|(_, amount)| *amount != "0.00").map(|(code, amount)| format!("{code} {amount}")).collect()
}

fn less(amount: &str, by: &str) -> String {
    cny(amount).checked_sub(cny(by)).unwrap().to_string()
}

fn the_worked_ticket_comes_back_as_the_design_says_in_every_advance_state(engine: Engine) {
    for row in ROWS {
        for state in STATES {
            let world = world_on(engine, row);
            let order = class_k(&world, state);
            let done = world.gives_back(&wish(&order, RefundKind::Voluntary));
            let (_, _, airline, commission, fee) = row;
            assert_eq!(amounts(&done.row), [95_000, 5_000, 19_000, 81_000]);
            assert_eq!(done.row.status, "refunded");
            let (payable, claimed, loan) = match state {
                AdvanceState::Held | AdvanceState::Failed => (less("915.00", airline), "0.00", "0.00"),
                AdvanceState::Sent | AdvanceState::Unknown => ("915.00".to_owned(), airline, "0.00"),
                _ => ("0.00".to_owned(), airline, "915.00"),
            };
            let expected = [
                ("agency.receivable", "190.00"),
                ("agency.commission", &less("30.00", commission)),
                ("airline.payable", &payable),
                ("airline.receivable", claimed),
                ("bank.loan", loan),
                ("platform.fee_income", &less("5.00", fee)),
            ];
            assert_eq!(moved(&world), lines(&expected), "{row:?} {state:?}");
            let held = if state == AdvanceState::SetOff { "0.00".to_owned() } else { payable };
            assert_eq!(world.line().held, cny(&held), "{row:?} {state:?}");
            assert_eq!(world.coupon_statuses().last().map(String::as_str), Some("R"));
        }
    }
}

fn what_was_on_its_way_is_claimed_or_dropped_when_the_bank_has_spoken(engine: Engine) {
    for (pays, expected) in [
        (true, ["agency.receivable 190.00", "airline.receivable 725.00", "bank.loan 915.00"].as_slice()),
        (false, ["agency.receivable 190.00", "airline.payable 190.00"].as_slice()),
    ] {
        let world = plain(engine);
        let order = class_k(&world, AdvanceState::Sent);
        world.gives_back(&wish(&order, RefundKind::Voluntary));
        let sent = world.advance_of(&order);
        world.bank_says(&[if pays { settled(&sent) } else { refused(&sent) }]);
        assert_eq!(moved(&world), expected);
        world.adds_up();
        if !pays {
            world.reopens_line().unwrap();
            let rest = world.sends(&sent).unwrap();
            assert_eq!((rest.attempt, rest.outstanding()), (2, cny("190.00")), "the airline keeps its penalty");
            world.bank_says(&[settled_at(&rest, cny("190.00"))]);
            assert_eq!(moved(&world), ["agency.receivable 190.00", "bank.loan 190.00"]);
            world.adds_up();
        }
    }
}

fn the_wallet_gets_back_what_the_design_says(engine: Engine) {
    for (row, wallet) in ROWS.into_iter().zip(["780.00", "780.00", "786.00", "810.00"]) {
        for state in STATES.into_iter().filter(|state| *state != AdvanceState::SetOff) {
            let world = world_on(engine, row);
            world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
            world.tops_up(world.prepaid, "970.00");
            let order = world.sells(world.order().by_wallet().flown_by("DZ", 'K'));
            bring(&world, &order, state);
            let done = world.gives_back(&wish(&order, RefundKind::Voluntary));
            assert_eq!(done.row.status, "refunded");
            assert_eq!(world.standing(world.prepaid).wallet, cny(wallet), "{row:?} {state:?}");
            assert_eq!(world.standing(world.prepaid).commission, cny("0.00"), "a wallet ticket nets its commission at once");
            // What was or may be paid is advanced from own money: the shortfall is what the airline gives back less what the sale had left.
            let ordered = world.numbers("SELECT amount_minor AS value FROM cash_transfer");
            let short = cny(wallet).minor - cny("55.00").minor;
            let expected = if matches!(state, AdvanceState::Held | AdvanceState::Failed) { vec![] } else { vec![short] };
            assert_eq!(ordered, expected, "{row:?} {state:?}");
        }
    }
}

fn a_paid_wallet_ticket_waits_for_the_airlines_money_and_completes_by_itself(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet().flown_by("DZ", 'K'));
    bring(&world, &order, AdvanceState::Confirmed);
    let waiting = world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert_eq!((waiting.row.status.as_str(), waiting.row.short_minor), ("awaiting_airline_funds", Some(72_500)));
    let expected = ["airline.receivable 725.00", "platform.cash[client] 55.00", "agency.refund_due 780.00"];
    assert_eq!(world.balances(), expected);
    assert_eq!(world.coupon_statuses(), ["R"], "nobody flies on it meanwhile");

    world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), "700.00")).unwrap();
    let still = world.completes(&waiting);
    assert_eq!((still.row.status.as_str(), still.row.short_minor), ("awaiting_airline_funds", Some(2_500)));
    world.adds_up();

    world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), "25.00")).unwrap();
    for _ in 0..2 {
        let done = world.completes(&waiting);
        assert_eq!((done.row.status.as_str(), done.row.short_minor), ("refunded", None));
    }
    let expected = ["agency.wallet 780.00", "platform.cash[client] 55.00", "platform.cash_transfer 725.00"];
    assert_eq!(world.balances(), expected);
    world.adds_up();
}

fn own_money_covers_a_wallet_until_the_airline_gives_it_back(engine: Engine) {
    let world = World::on(engine);
    world.receives(&world.receipt(Purpose::Capital, "725.00")).unwrap();
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet().flown_by("DZ", 'K'));
    bring(&world, &order, AdvanceState::Confirmed);
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    let expected = [
        "agency.wallet 780.00",
        "airline.receivable 725.00",
        "platform.cash[client] 55.00",
        "platform.cash_transfer 725.00",
        "platform.capital 725.00",
    ];
    assert_eq!(world.balances(), expected);
}

fn the_refund_belongs_to_the_tickets_cycle_until_that_is_billed(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().flown_by("DZ", 'K'));
    let done = world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert_eq!(done.tickets[0].cycle.as_deref(), Some(order.order.cycle.as_str()));
}

fn a_refund_in_a_later_cycle_is_a_credit_of_that_cycle(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().flown_by("DZ", 'K'));
    world.time_passes(Duration::days(20));
    let done = world.gives_back(&wish(&order, RefundKind::Voluntary));
    let running = airsettle::agencies::cycle_of(world.today());
    assert_ne!(running, order.order.cycle);
    assert_eq!(done.tickets[0].cycle.as_deref(), Some(running.as_str()));
    let standing = |cycle: &str| {
        let cycle = airsettle::agencies::Cycle::parse(cycle).unwrap();
        let currency = cny("0.00").currency;
        world.read(|db| airsettle::settlement::cycle_standing(db, world.agency, currency, cycle)).unwrap()
    };
    assert_eq!(standing(&order.order.cycle).open_net().unwrap(), cny("970.00"), "the bill stays as it was");
    let credit = standing(&running);
    assert_eq!((credit.refunded, credit.refunded_commission), (cny("810.00"), cny("30.00")));
    assert_eq!(credit.open_net().unwrap(), cny("-780.00"));
}

/// A class Y ticket of Donghai: 5 % until two hours before its departure, 10 % from then on.
fn class_y(world: &World, departing_at: NaiveDateTime) -> IssuedOrder {
    world.sells(world.order().flown_by("DZ", 'Y').departing_at(departing_at))
}

/// So long after now, in Beijing, at a whole minute.
fn in_beijing(world: &World, later: Duration) -> NaiveDateTime {
    world.clock.now().plus(later).naive() + Duration::hours(8)
}

fn the_ladder_counts_at_the_moment_of_the_quote_and_the_boundary_is_the_later_side(engine: Engine) {
    let world = plain(engine);
    // The test clock stands still between two statements only if it is set, so the boundary itself is met from both sides.
    let before = class_y(&world, in_beijing(&world, Duration::minutes(121)));
    let after = class_y(&world, in_beijing(&world, Duration::minutes(120)));
    let flown = class_y(&world, in_beijing(&world, Duration::minutes(-60)));
    let refund = |order| world.quotes_refund(&wish(order, RefundKind::Voluntary)).unwrap().row;
    assert_eq!(amounts(&refund(&before)), [95_000, 5_000, 4_750, 95_250]);
    assert_eq!(amounts(&refund(&after)), [95_000, 5_000, 9_500, 90_500], "two hours sharp, or a moment less, is within");
    assert_eq!(amounts(&refund(&flown)), [95_000, 5_000, 9_500, 90_500], "a no-show pays what is due after departure");
    let half = world.sells(world.order().flown_by("DZ", 'G'));
    assert_eq!(amounts(&refund(&half)), [95_000, 5_000, 47_500, 52_500]);
}

fn a_quote_ends_with_its_step_of_the_ladder(engine: Engine) {
    let world = plain(engine);
    let soon = class_y(&world, in_beijing(&world, Duration::minutes(125)));
    let quote = world.quotes_refund(&wish(&soon, RefundKind::Voluntary)).unwrap();
    let left = airsettle::clock::Timestamp::from(quote.row.expires_at).since(world.clock.now());
    assert!(left <= Duration::minutes(5) && left > Duration::minutes(4), "{left}");
    let later = class_y(&world, in_beijing(&world, Duration::minutes(300)));
    let quote = world.quotes_refund(&wish(&later, RefundKind::Voluntary)).unwrap();
    assert_eq!(quote.row.expires_at - quote.row.created_at, Duration::minutes(15));
}

fn infants_pay_no_fee(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().flown_by("DZ", 'G').for_a("infant"));
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    assert_eq!(amounts(&quote.row), [95_000, 5_000, 0, 100_000]);
}

fn each_coupon_pays_by_its_own_departure(engine: Engine) {
    let world = plain(engine);
    let order = world.order().flown_by("DZ", 'Y').coupons(2).tax(cny("100.00"));
    let order = world.sells(order.departing_at(in_beijing(&world, Duration::minutes(60))));
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    // 10 % of 475.00 for the flight that leaves within the hour, 5 % for the one a day later.
    assert_eq!(quote.coupons.iter().map(|one| one.penalty_minor).collect::<Vec<_>>(), [4_750, 2_375]);
    assert_eq!(quote.coupons.iter().map(|one| one.tax_minor).collect::<Vec<_>>(), [5_000, 5_000], "CN by coupon, whole");
    assert_eq!(amounts(&quote.row), [95_000, 10_000, 7_125, 97_875]);
}

fn coupons_after_each_other_are_the_ticket_exactly(engine: Engine) {
    for order in [[1, 2, 3], [3, 1, 2]] {
        let world = plain(engine);
        let issued = world.sells(world.order().coupons(3).fare(cny("1000.01")).tax(cny("150.00")));
        for (place, number) in order.into_iter().enumerate() {
            let request = RefundRequest { kind: RefundKind::Involuntary, ..with_reason(coupons(&issued, 0, &[number])) };
            world.gives_back(&request);
            let refunded = world.coupon_statuses().iter().filter(|status| *status == "R").count();
            assert_eq!(refunded, place + 1);
        }
        assert_eq!(moved(&world), [String::new(); 0], "every account of the ticket is empty");
        assert_eq!((world.advance_of(&issued).state, world.line().held), (AdvanceState::Cancelled, cny("0.00")));
        assert_eq!(world.exposure(), cny("0.00"));
    }
}

fn only_the_passengers_who_are_asked_for(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().tickets(3).flown_by("DZ", 'K'));
    let request = RefundRequest {
        tickets: [0, 2].map(|place| WantedTicket { ticket: order.tickets[place].id, coupons: vec![] }).to_vec(),
        ..wish(&order, RefundKind::Voluntary)
    };
    let done = world.gives_back(&request);
    assert_eq!((done.tickets.len(), done.row.refund_minor), (2, 162_000));
    assert_eq!(world.coupon_statuses(), ["R", "O", "R"]);
    // What is left of the order is refunded without naming it.
    let rest = world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert_eq!(rest.row.refund_minor, 81_000);
}

fn used_coupons_never_come_back_and_what_the_airline_controls_waits(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().coupons(3).tax(cny("150.00")).flown_by("DZ", 'K'));
    for (status, number) in [("F", 1), ("C", 2)] {
        world.database.as_owner(&format!("UPDATE coupon SET status = '{status}' WHERE number = {number}")).unwrap();
        let rows = world.row_counts();
        let refused = world.quotes_refund(&coupons(&order, 0, &[number])).unwrap_err();
        assert!(refused.to_string().contains(&format!("status {status}")), "{refused}");
        assert_eq!(world.row_counts(), rows);
    }
    let quote = world.quotes_refund(&coupons(&order, 0, &[3])).unwrap();
    world.database.as_owner("UPDATE coupon SET status = 'C' WHERE number = 3").unwrap();
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::CouponNotRefundable { coupon: 3, .. })));
    world.database.as_owner("UPDATE coupon SET status = 'O' WHERE number = 3").unwrap();
    world.confirms_refund(&quote).unwrap();
    // The airline opens the coupon again: it was paid back all the same.
    world.database.as_owner("UPDATE coupon SET status = 'O' WHERE number = 3").unwrap();
    assert!(matches!(world.quotes_refund(&coupons(&order, 0, &[3])), Err(RefundError::CouponNotRefundable { .. })));
}

fn an_involuntary_refund_keeps_nothing_and_a_person_decides(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Confirmed);
    let without = wish(&order, RefundKind::Involuntary);
    assert!(matches!(world.quotes_refund(&without), Err(RefundError::ReasonMissing { .. })));
    let quote = world.quotes_refund(&with_reason(without)).unwrap();
    assert!(matches!(world.decides(&quote, RefundDecision::Approve), Err(RefundError::InvalidState { status: "quoted" })));
    let submitted = world.confirms_refund(&quote).unwrap();
    assert_eq!((submitted.row.status.as_str(), world.coupon_statuses()), ("submitted", vec!["O".to_owned()]));
    assert_eq!(world.exposure(), cny("970.00"), "what is only asked for reduces nothing");
    for _ in 0..2 {
        let done = world.decides(&submitted, RefundDecision::Approve).unwrap();
        assert_eq!(amounts(&done.row), [95_000, 5_000, 0, 100_000]);
    }
    assert_eq!(moved(&world), ["airline.receivable 915.00", "bank.loan 915.00"]);
    world.adds_up();
    assert!(matches!(world.decides(&submitted, RefundDecision::Reject), Err(RefundError::InvalidState { status: "refunded" })));
}

fn a_medical_refund_needs_evidence(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let request = with_reason(wish(&order, RefundKind::Medical));
    assert!(matches!(world.quotes_refund(&request), Err(RefundError::EvidenceMissing { .. })));
    let attachment: AttachmentId = world.store.ids().next();
    let upload = airsettle::documents::Upload::of(world.seller, "certificate.pdf", b"%PDF-1.7").unwrap();
    world.write(|tx| Ok(airsettle::documents::keep_attachment(tx, attachment, &upload, vec![1])?));
    let done = world.gives_back(&RefundRequest { evidence: vec![attachment], ..request });
    assert_eq!((done.row.refund_minor, done.evidence.len()), (100_000, 1));
}

fn a_rejected_application_changes_nothing(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let before = world.balances();
    let quote = world.quotes_refund(&with_reason(wish(&order, RefundKind::Involuntary))).unwrap();
    let submitted = world.confirms_refund(&quote).unwrap();
    for _ in 0..2 {
        assert_eq!(world.decides(&submitted, RefundDecision::Reject).unwrap().row.status, "rejected");
    }
    assert!(matches!(world.decides(&submitted, RefundDecision::Approve), Err(RefundError::InvalidState { status: "rejected" })));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::InvalidState { status: "rejected" })));
    assert_eq!((world.balances(), world.coupon_statuses()), (before, vec!["O".to_owned()]));
    world.adds_up();
    world.gives_back(&wish(&order, RefundKind::Voluntary));
}

fn taxes_alone_come_back_of_a_fare_that_does_not(engine: Engine) {
    for row in ROWS {
        let world = world_on(engine, row);
        let order = class_k(&world, AdvanceState::Confirmed);
        let done = world.gives_back(&wish(&order, RefundKind::TaxOnly));
        assert_eq!(amounts(&done.row), [95_000, 5_000, 95_000, 5_000]);
        assert_eq!(world.coupon_statuses(), ["Y"]);
        let kept = ["agency.receivable 950.00", "agency.commission 30.00", "bank.loan 915.00", "platform.fee_income 5.00"];
        assert_eq!(moved(&world), kept, "the fare is still sold: commission and fee are earned");
        assert!(matches!(
            world.quotes_refund(&wish(&order, RefundKind::Voluntary)),
            Err(RefundError::CouponNotRefundable { .. })
        ));
    }
}

fn a_second_amount_is_decided_and_never_more_than_was_kept(engine: Engine) {
    let world = world_on(engine, ROWS[2]);
    let order = class_k(&world, AdvanceState::Confirmed);
    let more = |amount: &str| {
        let request = with_reason(coupons(&order, 0, &[]));
        RefundRequest { kind: RefundKind::Supplementary, amount: Some(cny(amount)), ..request }
    };
    assert!(matches!(world.quotes_refund(&more("0.01")), Err(RefundError::MoreThanPaid { .. })), "nothing was refunded yet");
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    let (one, two) = (world.quotes_refund(&more("100.00")).unwrap(), world.quotes_refund(&more("100.00")).unwrap());
    let (one, two) = (world.confirms_refund(&one).unwrap(), world.confirms_refund(&two).unwrap());
    let done = world.decides(&one, RefundDecision::Approve).unwrap();
    world.adds_up();
    // Commission back is 30 x 860/950, less the 24.00 of the first refund.
    assert_eq!((done.tickets[0].commission_minor, done.tickets[0].airline_minor), (316, 9_684));
    let rows = world.row_counts();
    let refused = world.decides(&two, RefundDecision::Approve).unwrap_err();
    assert!(matches!(refused, RefundError::MoreThanPaid { left, .. } if left == cny("90.00")), "{refused}");
    assert_eq!(world.row_counts(), rows);
    let last = world.gives_back(&more("90.00"));
    assert_eq!(last.tickets[0].commission_minor, 3_000 - 2_400 - 316);
    assert_eq!(moved(&world)[0], "airline.receivable 920.00", "950.00 less the commission; the fee is kept");
}

fn an_airline_that_pays_commission_and_fee_gives_back_more_than_it_got(engine: Engine) {
    for state in STATES {
        let world = world_on(engine, ROWS[3]);
        let order = class_k(&world, state);
        let done = world.gives_back(&with_reason(wish(&order, RefundKind::Involuntary)));
        assert_eq!(done.tickets[0].airline_minor, 95_000);
        let claimed = world.numbers("SELECT CAST(SUM(amount_minor) AS BIGINT) AS value FROM airline_claim WHERE settled_at IS NULL");
        let expected = match state {
            AdvanceState::Confirmed | AdvanceState::SetOff => 95_000,
            _ => 3_500,
        };
        assert_eq!(claimed, [expected], "{state:?}");
    }
}

fn a_refund_of_a_void_ticket_is_refused(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order());
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    world.voids(&order);
    let rows = world.row_counts();
    assert!(matches!(world.quotes_refund(&wish(&order, RefundKind::Voluntary)), Err(RefundError::TicketVoided { .. })));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::TicketVoided { .. })));
    assert_eq!(world.row_counts(), rows);
    // And the other way round: what is refunded is not void.
    let order = world.sells(world.order());
    let void = world.quotes(&order).unwrap();
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert!(world.confirms(&void).unwrap_err().to_string().contains("status R"));
}

fn a_stale_amount_or_a_late_confirmation_changes_nothing(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    let rows = world.row_counts();
    let refused = world.confirms_refund_at(&quote, 81_001).unwrap_err();
    assert!(matches!(refused, RefundError::AmountDiffers { refund, .. } if refund == cny("810.00")), "{refused}");
    world.time_passes(Duration::minutes(15));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::QuoteExpired { .. })));
    assert_eq!((world.row_counts(), world.coupon_statuses()), (rows, vec!["O".to_owned()]));
    world.adds_up();
}

fn two_confirmations_refund_once(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let request = wish(&order, RefundKind::Voluntary);
    let (one, two) = (world.quotes_refund(&request).unwrap(), world.quotes_refund(&request).unwrap());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = [&one, &one, &two].map(|quote| scope.spawn(|| world.confirms_refund(quote))).into_iter().collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((1..=2).contains(&done), "the same quote twice is the same refund, another one is refused");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_refund'"), 1);
    world.adds_up();
}

fn a_refunded_seat_can_be_sold_again(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().on_flight(8_001, 1).flown_by("DZ", 'K'));
    world.refuses(world.order().on_flight(8_001, 1));
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    world.sells(world.order().on_flight(8_001, 1));
    world.adds_up();
}

fn what_is_not_settled_in_seven_working_days_is_overdue(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let quote = world.quotes_refund(&with_reason(wish(&order, RefundKind::Involuntary))).unwrap();
    let submitted = world.confirms_refund(&quote).unwrap();
    let due = airsettle::clock::Timestamp::from(submitted.row.due_at.unwrap());
    let days = due.date_in(chrono_tz::Asia::Shanghai) - world.today();
    assert!((Duration::days(8)..=Duration::days(20)).contains(&days), "{days}");
    let counts = |world: &World| world.read(|db| overdue_count(db, world.clock.now()));
    assert_eq!(counts(&world), 0);
    let notes = |world: &World| {
        let id = RefundApplicationId::of(submitted.row.id);
        let noted = world.store.write(|tx| note_overdue(tx, &world.cause(), id)).unwrap();
        let audited = world.number("SELECT COUNT(*) AS value FROM audit_event WHERE action = 'refund.overdue'");
        (noted.row.overdue_at.is_some(), audited)
    };
    assert_eq!(notes(&world), (false, 0));
    world.time_passes(due.since(world.clock.now()) + Duration::seconds(1));
    assert_eq!(counts(&world), 1);
    assert_eq!((notes(&world), notes(&world)), ((true, 1), (true, 1)), "once");
    world.decides(&submitted, RefundDecision::Approve).unwrap();
    assert_eq!(counts(&world), 0);
    assert_eq!(RefundStatus::parse("refunded"), Some(RefundStatus::Refunded));
    world.adds_up();
}

fn set_off_pays_the_airline_for_the_next_ticket(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Confirmed);
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    let next = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&next)).unwrap();
    assert_eq!((sent.set_off, sent.outstanding()), (cny("725.00"), cny("190.00")));
    world.bank_says(&[settled_at(&sent, cny("190.00"))]);
    assert_eq!(world.line().drawn, cny("1105.00"), "915.00 and the penalty that the airline keeps");
    world.adds_up();
}
