//! The proof of the commissions: every ticket's is what its coupons earned, and what they earned follows again from the rules that are kept with them.

use super::verify::SaleFault;
use crate::agencies::contract;
use crate::commission::{EarningPart, Payout, current_rules, earnings};
use crate::db::schema::{coupon, ticket};
use crate::db::{Db, DbError};
use crate::ids::{ContractId, Id};
use crate::money::{Currency, Money};
use diesel::prelude::*;
use std::collections::HashMap;

pub(super) const COMMISSION: &str = "a ticket's commission is what its rules come to, coupon by coupon";
/// Tickets that are read at once.
const BATCH: i64 = 5_000;

#[derive(Queryable)]
struct Sold {
    id: i64,
    number: String,
    currency: String,
    price: i64,
    contract: i64,
    commission: i64,
}

#[derive(Queryable)]
struct Earned {
    ticket: i64,
    fare: i64,
    rule: Option<i64>,
    commission: i64,
}

/// What pays by id: every rule, and the contracts as they are met.
struct Payers {
    rules: HashMap<i64, Payout>,
    contracts: HashMap<i64, Payout>,
}

impl Payers {
    fn of_contract(&mut self, db: &mut Db, id: i64) -> Result<Option<Payout>, DbError> {
        if let Some(known) = self.contracts.get(&id) {
            return Ok(Some(*known));
        }
        let found = contract(db, ContractId::of(id))?.map(|contract| contract.commission());
        if let Some(payout) = found {
            self.contracts.insert(id, payout);
        }
        Ok(found)
    }
}

/// The first ticket whose commission is another one.
pub(super) fn first_wrong_commission(db: &mut Db) -> Result<Option<SaleFault>, DbError> {
    let rules = current_rules(db)?;
    let rules = rules.all().iter().filter_map(|version| Some((version.id.raw(), version.rule.payout?))).collect();
    let mut payers = Payers { rules, contracts: HashMap::new() };
    let mut after = 0i64;
    loop {
        let next = ticket::table.filter(ticket::id.gt(after)).order(ticket::id).limit(BATCH);
        let columns =
            (ticket::id, ticket::number, ticket::currency, ticket::price_minor, ticket::contract_id, ticket::commission_minor);
        let sold: Vec<Sold> = next.select(columns).load(db)?;
        let Some(last) = sold.last() else { return Ok(None) };
        let of_batch = coupon::table.filter(coupon::ticket_id.gt(after)).filter(coupon::ticket_id.le(last.id));
        let columns = (coupon::ticket_id, coupon::base_minor, coupon::commission_rule_id, coupon::commission_minor);
        let coupons: Vec<Earned> = of_batch.order((coupon::ticket_id, coupon::number)).select(columns).load(db)?;
        let mut by_ticket: HashMap<i64, Vec<Earned>> = HashMap::new();
        for one in coupons {
            by_ticket.entry(one.ticket).or_default().push(one);
        }
        after = last.id;
        for ticket in &sold {
            let earned = by_ticket.remove(&ticket.id).unwrap_or_default();
            if !follows(db, &mut payers, ticket, &earned)? {
                return Ok(Some(SaleFault { rule: COMMISSION, row: ticket.number.clone() }));
            }
        }
    }
}

fn follows(db: &mut Db, payers: &mut Payers, ticket: &Sold, coupons: &[Earned]) -> Result<bool, DbError> {
    let Ok(currency) = Currency::parse(&ticket.currency) else { return Ok(false) };
    let mut parts = Vec::with_capacity(coupons.len());
    for coupon in coupons {
        let payout = match coupon.rule {
            Some(id) => payers.rules.get(&id).copied(),
            None => payers.of_contract(db, ticket.contract)?,
        };
        let Some(payout) = payout else { return Ok(false) };
        parts.push(EarningPart { fare: Money::new(coupon.fare, currency), payout });
    }
    let Ok(again) = earnings(Money::new(ticket.price, currency), &parts) else { return Ok(false) };
    let same = again.iter().zip(coupons).all(|(earning, coupon)| earning.amount.minor == coupon.commission);
    Ok(same && coupons.iter().map(|coupon| coupon.commission).sum::<i64>() == ticket.commission)
}
