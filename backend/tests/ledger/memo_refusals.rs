//! Memos that are not filed, answered or decided: a named refusal, and nothing is changed. And what `verify` notices.

use crate::database::Engine;
use crate::memos::{claim, dispute};
use crate::world::{World, cny};
use airsettle::airlines::TicketNumber;
use airsettle::documents::{Upload, keep_attachment};
use airsettle::ids::{AirlineId, AttachmentId, Id, MemoId};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{ClaimedTicket, MemoError, MemoKind, MemoStep, NewMemo, PaymentPurpose, Purpose, Said};

on_both_engines!(
    what_makes_no_sense_is_refused_and_changes_nothing,
    the_same_claim_is_filed_once,
    a_tickets_value_is_claimed_once,
    two_who_file_the_same_at_once_file_it_once,
    every_rule_of_the_memos_finds_a_row_that_breaks_it,
);

/// Rows that no refusal may leave.
fn rows_of(world: &World) -> [i64; 5] {
    ["memo", "memo_ticket", "memo_step", "posting", "event"]
        .map(|table| world.number(&format!("SELECT COUNT(*) AS value FROM {table}")))
}

fn what_makes_no_sense_is_refused_and_changes_nothing(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let before = rows_of(&world);
    let good = || claim(&world, &order, MemoKind::Adm, "120.00");
    let refused = |new: NewMemo, what: &str| {
        let error = world.files_memo(&new).unwrap_err();
        assert!(error.to_string().contains(what), "{error}: {what}");
        assert_eq!(rows_of(&world), before, "{what}");
    };
    let ticket = |number: &str, amount: Money| vec![ClaimedTicket { number: TicketNumber::parse(number).unwrap(), amount }];
    let number = order.tickets[0].number.clone();
    refused(NewMemo { tickets: ticket(&number, cny("1000.01")), ..good() }, "cost 1000.00");
    refused(NewMemo { fee: cny("200.01"), ..good() }, "a fee of 200.00 at most");
    refused(NewMemo { fee: cny("-0.01"), ..good() }, "not negative");
    let credit = claim(&world, &order, MemoKind::Acm, "120.00");
    refused(NewMemo { fee: cny("0.01"), ..credit }, "a fee of 0.00 at most");
    let dollars = Money::parse("1.00", Currency::parse("USD").unwrap()).unwrap();
    refused(NewMemo { tickets: ticket(&number, dollars), fee: dollars, ..good() }, "was sold in CNY");
    refused(NewMemo { tickets: ticket("7812100000000", cny("1.00")), ..good() }, "another airline's");
    refused(NewMemo { tickets: ticket("9999999999999", cny("1.00")), ..good() }, "no such ticket");
    refused(NewMemo { tickets: [ticket(&number, cny("1.00")), ticket(&number, cny("1.00"))].concat(), ..good() }, "named twice");
    refused(NewMemo { tickets: ticket(&number, cny("0.00")), ..good() }, "more than zero");
    refused(NewMemo { tickets: Vec::new(), ..good() }, "more than zero");
    refused(NewMemo { reason: "fare_overcollected".into(), ..good() }, "no reason fare_overcollected");
    refused(NewMemo { airline: AirlineId::of(1), ..good() }, "no such airline");
    world.tops_up(world.prepaid, "970.00");
    let other = world.sells(world.order().by_wallet());
    let both = [good().tickets, claim(&world, &other, MemoKind::Adm, "1.00").tickets].concat();
    let error = world.files_memo(&NewMemo { tickets: both, ..good() });
    assert!(matches!(error, Err(MemoError::OtherAgency { place: 1 })), "{error:?}");
    // Of a memo that is there: steps out of their order, an old version, a reason of something else.
    let id = world.files_memo(&good()).unwrap().id;
    for step in [MemoStep::Claim, MemoStep::Answer, MemoStep::WithdrawDispute, MemoStep::Uphold] {
        assert!(world.steps(id, step).is_err(), "{step:?}");
    }
    let old = Said { version: Some(7), ..dispute() };
    assert!(matches!(world.step_with(id, MemoStep::Dispute, &old), Err(MemoError::Version(1))));
    let strange = Said { reason: Some("fare_undercollected".into()), ..dispute() };
    assert!(matches!(world.step_with(id, MemoStep::Dispute, &strange), Err(MemoError::Reason(_))));
    assert_eq!(world.memo_now(id).version, 1);
    let missing = MemoId::of(7);
    assert!(matches!(world.steps(missing, MemoStep::Accept), Err(MemoError::NotFound)));
    world.adds_up();
}

fn the_same_claim_is_filed_once(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let first = world.files_memo(&claim(&world, &order, MemoKind::Adm, "120.00")).unwrap();
    let again = world.files_memo(&claim(&world, &order, MemoKind::Adm, "1.00")).unwrap_err();
    assert!(matches!(again, MemoError::Claimed { memo, .. } if memo == first.id), "{again}");
    let other = NewMemo { reason: "tax_undercollected".into(), ..claim(&world, &order, MemoKind::Adm, "1.00") };
    world.files_memo(&other).unwrap();
    world.adds_up();
}

fn a_tickets_value_is_claimed_once(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let first = world.files_memo(&claim(&world, &order, MemoKind::Adm, "999.00")).unwrap().id;
    let of_tax = |amount| NewMemo { reason: "tax_undercollected".into(), ..claim(&world, &order, MemoKind::Adm, amount) };
    let over = world.files_memo(&of_tax("1.01")).unwrap_err();
    assert!(matches!(over, MemoError::OverValue { left, .. } if left == cny("1.00")), "{over}");
    // A credit is another matter.
    world.files_memo(&claim(&world, &order, MemoKind::Acm, "1000.00")).unwrap();
    world.files_memo(&of_tax("1.00")).unwrap();
    world.steps(first, MemoStep::Withdraw).unwrap();
    world.files_memo(&claim(&world, &order, MemoKind::Adm, "999.00")).unwrap();
    world.adds_up();
}

fn two_who_file_the_same_at_once_file_it_once(engine: Engine) {
    let world = World::on(engine);
    world.trades_on_credit();
    let order = world.sells_and_pays(world.order());
    let new = claim(&world, &order, MemoKind::Adm, "120.00");
    let filed = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| world.files_memo(&new).is_ok())).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).filter(|filed| *filed).count()
    });
    assert_eq!((filed, world.number("SELECT COUNT(*) AS value FROM memo")), (1, 1));
    world.adds_up();
}

fn every_rule_of_the_memos_finds_a_row_that_breaks_it(engine: Engine) {
    let history = || {
        let world = World::on(engine);
        world.trades_on_credit();
        world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
        let order = world.sells_and_pays(world.order());
        for kind in MemoKind::ALL {
            let upload = Upload::of(world.seller, "tariff.pdf", b"%PDF-1.7").unwrap();
            let kept = world.write(|tx| Ok(keep_attachment(tx, world.store.ids().next(), &upload, vec![1])?));
            let evidence = vec![AttachmentId::of(kept.id)];
            let id = world.files_memo(&NewMemo { evidence, ..claim(&world, &order, kind, "100.00") }).unwrap().id;
            world.steps(id, MemoStep::Accept).unwrap();
            world.decides_about(id, Some(cny("100.00"))).unwrap();
        }
        let new = NewMemo { reason: "tax_undercollected".into(), ..claim(&world, &order, MemoKind::Adm, "7.00") };
        world.files_memo(&new).unwrap();
        world.pays(PaymentPurpose::Airline { airline: world.airline, amount: cny("100.00") }).unwrap();
        world.adds_up();
        world
    };
    let changes = [
        ("UPDATE memo SET decided_minor = 9900, paid_minor = 9900 WHERE kind = 'adm' AND status = 'posted'", "memos"),
        ("UPDATE memo SET cycle = '2020-01-H1' WHERE kind = 'acm' AND status = 'posted'", "memos"),
        ("UPDATE memo SET posting_id = posting_id + 1 WHERE status = 'posted'", "is booked once"),
        ("UPDATE memo SET claimed_minor = claimed_minor + 1", "claims what it claims of its tickets"),
        ("UPDATE memo SET version = version + 1", "a step for every version"),
        ("UPDATE memo SET paid_minor = 1 WHERE kind = 'adm' AND status = 'posted'", "what is owed to airlines"),
        ("UPDATE memo SET reason = 'fare_undercollected' WHERE kind = 'adm'", "for one reason twice"),
        (
            "UPDATE airline_claim SET memo_id = (SELECT id FROM memo WHERE status = 'issued') WHERE memo_id IS NOT NULL",
            "give back, once",
        ),
        ("UPDATE approval SET kind = 'unfreeze'", "decided by two"),
        ("UPDATE bank_payment SET amount_minor = amount_minor - 1 WHERE purpose = 'airline'", "booked with its own amount"),
    ];
    for (change, rule) in changes {
        let world = history();
        if change.contains("approval") {
            world.database.tamper("approval", change);
        } else {
            world.database.as_owner(change).unwrap();
        }
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
    let world = history();
    world.database.tamper("memo_ticket", "UPDATE memo_ticket SET amount_minor = amount_minor + 1");
    let fault = world.sale_fault().unwrap();
    assert!(fault.rule.contains("claims what it claims"), "{fault}");
}
