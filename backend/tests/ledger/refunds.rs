//! The money of refunds: the golden rows of the design in every advance state, on credit and from the wallet; cycles, parts, second amounts.

use crate::bank::{refused, settled, settled_at, silence};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::{Advance, AdvanceState};
use airsettle::ids::{Id, OrderId, RefundApplicationId};
use airsettle::settlement::Purpose;
use airsettle::ticketing::{
    Application, ApplicationRow, IssuedOrder, RefundDecision, RefundError, RefundKind, RefundRequest, WantedTicket,
    complete_refund, confirm_refund, decide_refund, quote_refund,
};
use chrono::Duration;

on_both_engines!(
    the_worked_ticket_comes_back_as_the_design_says_in_every_advance_state,
    what_was_on_its_way_is_claimed_or_dropped_when_the_bank_has_spoken,
    the_wallet_gets_back_what_the_design_says,
    a_paid_wallet_ticket_waits_for_the_airlines_money_and_completes_by_itself,
    own_money_covers_a_wallet_until_the_airline_gives_it_back,
    the_refund_belongs_to_the_tickets_cycle_until_that_is_billed,
    a_refund_in_a_later_cycle_is_a_credit_of_that_cycle,
    coupons_after_each_other_are_the_ticket_exactly,
    taxes_alone_come_back_of_a_fare_that_does_not,
    a_second_amount_is_decided_and_never_more_than_was_kept,
    an_airline_that_pays_commission_and_fee_gives_back_more_than_it_got,
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
pub fn coupons(order: &IssuedOrder, ticket: usize, numbers: &[i64]) -> RefundRequest {
    let tickets = vec![WantedTicket { ticket: order.tickets[ticket].id, coupons: numbers.to_vec() }];
    RefundRequest { tickets, ..wish(order, RefundKind::Voluntary) }
}

pub fn with_reason(request: RefundRequest) -> RefundRequest {
    RefundRequest { reason: Some("flight cancelled".into()), ..request }
}

impl World {
    pub fn quotes_refund(&self, request: &RefundRequest) -> Result<Application, RefundError> {
        self.store.write(|tx| quote_refund(tx, self.catalogue(), &self.cause(), request))
    }

    pub fn confirms_refund(&self, quote: &Application) -> Result<Application, RefundError> {
        self.confirms_refund_at(quote, quote.row.refund_minor)
    }

    pub fn confirms_refund_at(&self, quote: &Application, minor: i64) -> Result<Application, RefundError> {
        let (id, expected) = (RefundApplicationId::of(quote.row.id), airsettle::money::Money::new(minor, cny("0.00").currency));
        self.store.write(|tx| confirm_refund(tx, &self.catalogue().calendar, &self.cause(), id, expected))
    }

    pub fn decides(&self, application: &Application, decision: &RefundDecision) -> Result<Application, RefundError> {
        let id = RefundApplicationId::of(application.row.id);
        self.store.write(|tx| decide_refund(tx, &self.cause(), id, decision, None))
    }

    pub fn completes(&self, application: &Application) -> Application {
        let id = RefundApplicationId::of(application.row.id);
        self.store.write(|tx| complete_refund(tx, &self.cause(), id)).unwrap()
    }

    /// Quotes and confirms; what a person decides is approved.
    pub fn refunds_as(&self, request: &RefundRequest) -> Result<Application, RefundError> {
        let quote = self.quotes_refund(request)?;
        let confirmed = self.confirms_refund(&quote)?;
        if request.kind.needs_decision() { self.decides(&confirmed, &RefundDecision::Approve) } else { Ok(confirmed) }
    }

    /// A refund that must succeed.
    pub fn gives_back(&self, request: &RefundRequest) -> Application {
        let done = self.refunds_as(request).unwrap();
        self.adds_up();
        done
    }

    pub fn coupon_statuses(&self) -> Vec<String> {
        self.texts("SELECT status AS value FROM coupon ORDER BY id")
    }
}

pub fn amounts(row: &ApplicationRow) -> [i64; 4] {
    [row.fare_minor, row.tax_minor, row.penalty_minor, row.refund_minor]
}

fn world_on(engine: Engine, (clawback, fee, ..): (&str, &str, &str, &str, &str)) -> World {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    let terms = format!("UPDATE contract SET clawback = '{clawback}', fee_on_refund = '{fee}'");
    world.database.as_owner(&terms).unwrap();
    world
}

pub fn plain(engine: Engine) -> World {
    world_on(engine, ROWS[0])
}

/// Brings an order's advance into a state; the attempt that is under way then.
pub fn bring(world: &World, order: &IssuedOrder, state: AdvanceState) -> Advance {
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
pub fn class_k(world: &World, state: AdvanceState) -> IssuedOrder {
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
pub fn moved(world: &World) -> Vec<String> {
    let deposit = ["agency.deposit", "platform.cash[client]"];
    world.balances().into_iter().filter(|line| !deposit.iter().any(|own| line.starts_with(own))).collect()
}

pub fn lines(accounts: &[(&str, &str)]) -> Vec<String> {
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

    // Said to be paid out while it waits: the books notice.
    for (from, to) in [("awaiting_airline_funds", "refunded"), ("refunded", "awaiting_airline_funds")] {
        world.database.as_owner(&format!("UPDATE refund_application SET status = '{to}' WHERE status = '{from}'")).unwrap();
        let fault = world.sale_fault();
        assert_eq!(fault.is_some_and(|fault| fault.rule.contains("what is due to wallets")), to == "refunded", "{to}");
    }

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
    assert_eq!(done.tickets[0].cycle.as_deref(), order.order.cycle.as_deref());
}

fn a_refund_in_a_later_cycle_is_a_credit_of_that_cycle(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().flown_by("DZ", 'K'));
    world.time_passes(Duration::days(20));
    let done = world.gives_back(&wish(&order, RefundKind::Voluntary));
    let running = airsettle::agencies::cycle_of(world.today());
    let sold_in = order.order.cycle.unwrap();
    assert_ne!(running, sold_in);
    assert_eq!(done.tickets[0].cycle.as_deref(), Some(running.as_str()));
    let standing = |cycle: &str| {
        let cycle = airsettle::agencies::Cycle::parse(cycle).unwrap();
        let currency = cny("0.00").currency;
        world.read(|db| airsettle::settlement::cycle_standing(db, world.agency, currency, cycle)).unwrap()
    };
    assert_eq!(standing(&sold_in).open_net().unwrap(), cny("970.00"), "the bill stays as it was");
    let credit = standing(&running);
    assert_eq!((credit.refunded, credit.refunded_commission), (cny("810.00"), cny("30.00")));
    assert_eq!(credit.open_net().unwrap(), cny("-780.00"));
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
        assert_eq!(moved(&world), Vec::<String>::new(), "every account of the ticket is empty");
        assert_eq!((world.advance_of(&issued).state, world.line().held), (AdvanceState::Cancelled, cny("0.00")));
        assert_eq!(world.exposure(), cny("0.00"));
    }
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
    let done = world.decides(&one, &RefundDecision::Approve).unwrap();
    world.adds_up();
    // Commission back is 30 x 860/950, less the 24.00 of the first refund.
    assert_eq!((done.tickets[0].commission_minor, done.tickets[0].airline_minor), (316, 9_684));
    let rows = world.row_counts();
    let refused = world.decides(&two, &RefundDecision::Approve).unwrap_err();
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
        let claimed =
            world.numbers("SELECT CAST(SUM(amount_minor) AS BIGINT) AS value FROM airline_claim WHERE settled_at IS NULL");
        let expected = match state {
            AdvanceState::Confirmed | AdvanceState::SetOff => 95_000,
            _ => 3_500,
        };
        assert_eq!(claimed, [expected], "{state:?}");
    }
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
