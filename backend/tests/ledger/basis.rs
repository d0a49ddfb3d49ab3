//! An order is decided on the key, the agency and the terms that stand in its commit, whatever it was prepared from.

use crate::database::Engine;
use crate::world::{World, rate};
use airsettle::agencies::{NewContract, agency, sign_contract};
use airsettle::commission::RuleBook;
use airsettle::identity::{ApiKey, KeyMode, NewKey, Scope, issue_key, revoke_key};
use airsettle::ids::AgencyId;
use airsettle::ticketing::{Basis, IssueOrder, Outcome};
use chrono::Duration;
use std::sync::Arc;

on_both_engines!(
    an_order_of_a_key_that_was_revoked_meanwhile_is_handed_back,
    an_order_of_a_key_that_has_run_out_meanwhile_is_handed_back,
    an_order_on_terms_that_were_followed_by_others_is_handed_back,
    a_key_that_names_no_agency_sells_for_the_only_one_of_its_organisation,
    an_order_that_was_committed_stays_so_whatever_became_of_its_key,
);

/// A key of the selling organisation, for one of its agencies or for none in particular.
pub fn key_of_the_seller(world: &World, agency: Option<AgencyId>, lifetime: Option<Duration>) -> ApiKey {
    let new = NewKey {
        organisation: world.seller,
        agency,
        name: "till".into(),
        scopes: vec![Scope::AirWrite],
        allowed_ips: Vec::new(),
        expires_at: lifetime.map(|lifetime| world.clock.now().plus(lifetime)),
    };
    world.write(|tx| Ok(issue_key(tx, KeyMode::Live, &new)?.0))
}

pub fn basis(world: &World, key: &ApiKey, seller: AgencyId) -> Arc<Basis> {
    let key = Arc::new(key.clone());
    world.read(|db| {
        let seller = agency(db, seller)?.unwrap();
        let terms = RuleBook::default().terms_of(db, seller.id)?;
        Ok(Arc::new(Basis { key: key.clone(), seller, terms }))
    })
}

fn order_on(world: &World, key: &str, basis: &Arc<Basis>) -> IssueOrder {
    IssueOrder { basis: Some(basis.clone()), ..world.order().keyed(key).build() }
}

fn is_handed_back(world: &World, order: IssueOrder) {
    let rows = world.row_counts();
    let outcome = world.issue(order.clone());
    assert!(matches!(outcome, Outcome::Outdated), "{outcome:?}");
    assert_eq!(world.row_counts(), rows, "not even its key is taken");
    world.sells(IssueOrder { basis: None, ..order });
    world.adds_up();
}

fn an_order_of_a_key_that_was_revoked_meanwhile_is_handed_back(engine: Engine) {
    let world = World::trading(engine);
    let key = key_of_the_seller(&world, Some(world.agency), None);
    let basis = basis(&world, &key, world.agency);
    world.sells(order_on(&world, "before", &basis));
    world.write(|tx| Ok(revoke_key(tx, key.id)?));
    is_handed_back(&world, order_on(&world, "after", &basis));
}

fn an_order_of_a_key_that_has_run_out_meanwhile_is_handed_back(engine: Engine) {
    let world = World::trading(engine);
    let key = key_of_the_seller(&world, Some(world.agency), Some(Duration::seconds(20)));
    let basis = basis(&world, &key, world.agency);
    world.sells(order_on(&world, "before", &basis));
    world.time_passes(Duration::seconds(20));
    is_handed_back(&world, order_on(&world, "after", &basis));
}

fn an_order_on_terms_that_were_followed_by_others_is_handed_back(engine: Engine) {
    let world = World::trading(engine);
    let key = key_of_the_seller(&world, Some(world.agency), None);
    let before = basis(&world, &key, world.agency);
    let terms = world.contracts[&world.agency].clone();
    world.write(|tx| {
        let next = NewContract {
            agency: terms.agency,
            airline: terms.airline,
            currency: terms.currency,
            effective_from: terms.effective_from,
            commission_rate: rate("0.01"),
            commission_base: terms.commission_base,
            fee_rate: terms.fee_rate,
            tax_remitter: terms.tax_remitter,
            payment_days: terms.payment_days,
            payment: terms.payment,
            clawback: terms.clawback,
            fee_on_refund: terms.fee_on_refund,
            airline_return: terms.airline_return,
            costs: terms.costs.clone(),
        };
        Ok(sign_contract(tx, &next)?)
    });
    is_handed_back(&world, order_on(&world, "on the old terms", &before));
    world.sells(order_on(&world, "on the new terms", &basis(&world, &key, world.agency)));
}

fn a_key_that_names_no_agency_sells_for_the_only_one_of_its_organisation(engine: Engine) {
    let world = World::trading(engine);
    // The seller of this world has two.
    let key = key_of_the_seller(&world, None, None);
    is_handed_back(&world, order_on(&world, "for which", &basis(&world, &key, world.agency)));
    let bound = key_of_the_seller(&world, Some(world.prepaid), None);
    is_handed_back(&world, order_on(&world, "for another", &basis(&world, &bound, world.agency)));
}

fn an_order_that_was_committed_stays_so_whatever_became_of_its_key(engine: Engine) {
    let world = World::trading(engine);
    let key = key_of_the_seller(&world, Some(world.agency), None);
    let order = order_on(&world, "one", &basis(&world, &key, world.agency));
    let issued = world.sells(order.clone());
    world.write(|tx| Ok(revoke_key(tx, key.id)?));
    // The answer to its COMMIT was lost, so the queue runs the same command again.
    assert_eq!(world.sells(order).order, issued.order);
    world.adds_up();
}
