//! What a contract costs and earns beside the worked case: VAT in the fee, losses that are expected, and terms on which a ticket loses money.

use crate::database::Engine;
use crate::world::{Anything, World, cny, rate};
use airsettle::agencies::{CostTerms, NewContract};
use airsettle::audit::Actor;
use airsettle::ids::{ApprovalId, Id};
use airsettle::money::Money;
use airsettle::settlement::{
    Consent, Provision, ProvisionError, SigningError, allowance_account, margin_of, provide, provide_for_day, sign,
};
use airsettle::ticketing::{RefundKind, RefundRequest, WantedTicket};
use chrono::Duration;

on_both_engines!(
    a_fee_with_vat_is_booked_in_two_parts,
    vat_comes_back_with_the_fee_to_the_minor_unit,
    vat_that_is_not_the_fees_is_found,
    losses_are_provided_for_once_a_day_and_released_again,
    a_write_off_finds_its_allowance,
    terms_that_lose_money_are_refused_unless_two_people_agree,
    a_wallet_contract_loses_nothing_by_time,
);

impl World {
    fn terms(&self, changed: impl FnOnce(&mut NewContract)) -> NewContract {
        let known = self.contracts[&self.agency].clone();
        let mut new = NewContract {
            agency: known.agency,
            airline: known.airline,
            currency: known.currency,
            effective_from: known.effective_from,
            commission_rate: known.commission_rate,
            commission_base: known.commission_base,
            fee_rate: known.fee_rate,
            tax_remitter: known.tax_remitter,
            payment_days: known.payment_days,
            clawback: known.clawback,
            fee_on_refund: known.fee_on_refund,
            airline_return: known.airline_return,
            costs: known.costs,
            payment: known.payment,
        };
        changed(&mut new);
        new
    }

    /// The next version, which later orders are sold under.
    fn agrees_on(&mut self, changed: impl FnOnce(&mut NewContract)) {
        let terms = self.terms(changed);
        let signed = self.write(|tx| Ok(sign(tx, &terms, Consent::None)?));
        self.contracts.insert(signed.agency, signed);
    }

    fn balance_of(&self, account: &str) -> String {
        let line = self.balances().into_iter().find(|line| line.split(' ').next() == Some(account));
        line.map_or_else(|| "0.00".into(), |line| line.rsplit(' ').next().unwrap().to_owned())
    }

    fn provides(&self, days_back: i64) -> Result<Option<Provision>, ProvisionError> {
        let day = self.today() - Duration::days(days_back);
        self.store.write(|tx| provide_for_day(tx, Actor::platform(), self.agency, cny("0").currency, day))
    }
}

fn taxed(engine: Engine) -> World {
    let mut world = World::trading(engine);
    world.agrees_on(|new| new.costs = CostTerms { vat_rate: rate("0.06"), ..CostTerms::default() });
    world
}

fn a_fee_with_vat_is_booked_in_two_parts(engine: Engine) {
    let world = taxed(engine);
    let order = world.sells(world.order());
    // 5.00 x 6 / 106
    assert_eq!(
        (world.balance_of("platform.fee_income"), world.balance_of("platform.vat_payable")),
        ("4.72".into(), "0.28".into())
    );
    assert_eq!(world.balance_of("airline.payable"), "915.00");
    world.adds_up();
    world.voids(&order);
    assert_eq!(
        (world.balance_of("platform.fee_income"), world.balance_of("platform.vat_payable")),
        ("0.00".into(), "0.00".into())
    );
    world.adds_up();
}

fn vat_comes_back_with_the_fee_to_the_minor_unit(engine: Engine) {
    let world = taxed(engine);
    let order = world.sells(world.order().coupons(3));
    world.sells(world.order());
    for coupon in 1..=3 {
        let tickets = vec![WantedTicket { ticket: order.tickets[0].id, coupons: vec![coupon] }];
        let reason = Some("a flight that does not leave".to_owned());
        let of = airsettle::ids::OrderId::of(order.order.id);
        let kind = RefundKind::Involuntary;
        world.refunds_as(&RefundRequest { order: of, kind, tickets, amount: None, reason, evidence: Vec::new() }).unwrap();
        world.adds_up();
    }
    assert_eq!(
        (world.balance_of("platform.fee_income"), world.balance_of("platform.vat_payable")),
        ("4.72".into(), "0.28".into())
    );
}

fn vat_that_is_not_the_fees_is_found(engine: Engine) {
    let world = taxed(engine);
    world.sells(world.order());
    world.database.as_owner("UPDATE contract SET vat_rate = '0.13' WHERE vat_rate <> '0'").unwrap();
    assert!(world.sale_fault().is_some_and(|fault| fault.rule.starts_with("VAT payable")));
}

fn losses_are_provided_for_once_a_day_and_released_again(engine: Engine) {
    let mut world = World::trading(engine);
    world.agrees_on(|new| new.costs = CostTerms { expected_loss_rate: rate("0.001"), ..CostTerms::default() });
    let cycle = airsettle::agencies::CycleRule::HalfMonthly.cycle_of(world.today());
    world.sells(world.order());
    assert!(matches!(world.provides(0), Err(ProvisionError::NotOver { .. })));
    world.time_passes(Duration::days(1));
    let provided = world.provides(1).unwrap().unwrap();
    assert_eq!((provided.exposure, provided.allowance, provided.booked), (cny("970.00"), cny("0.97"), cny("0.97")));
    assert!(world.provides(1).unwrap().is_none(), "once a day");
    assert!(world.provides(2).unwrap().is_none(), "a day before is not provided for again");
    assert_eq!(world.balance_of("platform.credit_loss_allowance"), "0.97");
    // Balances are shown on the side where they stand: an expense is less than nothing.
    assert_eq!(world.balance_of("platform.credit_loss_expense"), "-0.97");
    world.adds_up();
    world.remits("970.00", cycle).unwrap();
    world.time_passes(Duration::days(1));
    let released = world.provides(1).unwrap().unwrap();
    assert_eq!((released.allowance, released.booked), (cny("0.00"), cny("-0.97")));
    world.time_passes(Duration::days(1));
    assert!(world.provides(1).unwrap().is_none(), "nothing is expected and nothing held");
    world.adds_up();
    let forged = "UPDATE account SET balance_minor = balance_minor - 1 WHERE code = 'platform.credit_loss_allowance'";
    world.database.as_owner(forged).unwrap();
    assert!(world.ledger_proof().is_err());
}

fn a_write_off_finds_its_allowance(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order());
    let least = |amount: &str| {
        let provided = world.store.write(|tx| provide(tx, Actor::platform(), world.agency, cny(amount)));
        provided.unwrap().map(|provision| (provision.allowance, provision.booked))
    };
    assert_eq!(least("370.00"), Some((cny("370.00"), cny("370.00"))));
    assert_eq!(least("370.00"), Some((cny("370.00"), cny("0.00"))), "it is held already");
    world.adds_up();
    let account = allowance_account(world.agency, cny("0").currency);
    let held: Vec<(_, Money)> = world.read(|db| airsettle::ledger::balances(db, std::slice::from_ref(&account)));
    assert_eq!(held, [(account, cny("370.00"))]);
    let nobody = world.store.write(|tx| provide(tx, Actor::platform(), Id::of(9), cny("1.00")));
    assert!(nobody.is_err(), "{nobody:?}");
}

fn terms_that_lose_money_are_refused_unless_two_people_agree(engine: Engine) {
    let world = World::on(engine);
    let rows = world.row_counts();
    // A half-monthly cycle and 14 days are 30, with 17 days 33.
    let signs = |terms: &NewContract, consent| world.store.write(|tx| sign(tx, terms, consent));
    let margin = |terms: &NewContract| world.write(|tx| Ok::<_, Anything>(margin_of(tx, terms)?));
    let lasting = world.terms(|new| new.payment_days = 17);
    let refused = signs(&lasting, Consent::None);
    assert!(matches!(&refused, Err(SigningError::NegativeMargin(margin)) if margin.total == cny("-0.03")), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("fee 5.00 + financing 0.00 - interest 5.03"));
    assert_eq!(world.row_counts(), rows);
    let shorter = world.terms(|new| new.payment_days = 14);
    assert_eq!((margin(&shorter).total, margin(&shorter).days), (cny("0.42"), 30));
    // A financing rate pays for the time after the free days.
    let financed = world.terms(|new| {
        new.payment_days = 17;
        new.costs = CostTerms { free_days: 7, financing_rate: rate("0.06"), ..CostTerms::default() };
    });
    assert_eq!(margin(&financed).financing, cny("1.62"));
    assert_eq!(signs(&financed, Consent::None).unwrap().costs.free_days, 7);
    assert_eq!(signs(&shorter, Consent::None).unwrap().version, 3);
    // What nobody agreed to is found.
    let approval = ApprovalId::of(9);
    assert_eq!(signs(&lasting, Consent::Approved(approval)).unwrap().approval, Some(9));
    assert!(world.sale_fault().is_some_and(|fault| fault.rule.starts_with("a contract that had to be agreed to")));
}

fn a_wallet_contract_loses_nothing_by_time(engine: Engine) {
    let world = World::on(engine);
    let terms = world.terms(|new| {
        new.agency = world.prepaid;
        new.payment_days = 365;
    });
    let margin = world.write(|tx| Ok::<_, Anything>(margin_of(tx, &terms)?));
    assert_eq!((margin.total, margin.line), (cny("5.00"), None));
}
