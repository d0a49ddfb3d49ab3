//! Which accounts a sale moves, and a refund.

use super::plan::{IssueOrder, TicketPlan};
use super::refund::RefundLegs;
use crate::audit::Actor;
use crate::catalogue::split::Split;
use crate::credit::AirlineLeg;
use crate::ids::{AgencyId, AirlineId, ContractId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg};
use crate::money::{Money, MoneyError};
use crate::ordering::Tender;

/// The four legs that are the same whatever paid: airline, authorities, commission, fee.
fn credits(split: &Split, agency: AgencyId, airline: AirlineId) -> Result<Vec<Leg>, MoneyError> {
    let currency = split.price.currency;
    let mut legs = vec![Leg::credit(AccountKey::airline(AccountCode::AirlinePayable, airline, currency), split.airline)?];
    for tax in &split.authority {
        legs.push(Leg::credit(AccountKey::tax(&tax.payee, &tax.code, currency), tax.amount)?);
    }
    legs.push(Leg::credit(AccountKey::agency(AccountCode::AgencyCommission, agency, currency), split.commission)?);
    legs.push(Leg::credit(AccountKey::platform(AccountCode::PlatformFeeIncome, currency), split.fee.checked_sub(split.vat)?)?);
    if split.vat.minor > 0 {
        legs.push(Leg::credit(AccountKey::platform(AccountCode::PlatformVatPayable, currency), split.vat)?);
    }
    Ok(legs)
}

/// The legs that give back what a sale took: airline, authorities, commission, fee. The airline's depends on whether it was or may be paid; of the fee,
/// `vat` was not the platform's.
pub(super) fn debits(
    legs: &RefundLegs,
    airline_leg: AirlineLeg,
    vat: Money,
    (agency, airline): (AgencyId, AirlineId),
) -> Result<Vec<Leg>, MoneyError> {
    let currency = legs.refund.currency;
    let mut debits = vec![
        Leg::debit(AccountKey::airline(AccountCode::AirlinePayable, airline, currency), airline_leg.unpaid),
        Leg::debit(AccountKey::airline(AccountCode::AirlineReceivable, airline, currency), airline_leg.to_give_back),
    ];
    debits.extend(legs.authority.iter().map(|tax| Leg::debit(AccountKey::tax(&tax.payee, &tax.code, currency), tax.amount)));
    debits.push(Leg::debit(AccountKey::agency(AccountCode::AgencyCommission, agency, currency), legs.commission));
    debits.push(Leg::debit(AccountKey::platform(AccountCode::PlatformFeeIncome, currency), legs.fee.checked_sub(vat)?));
    if vat.minor > 0 {
        debits.push(Leg::debit(AccountKey::platform(AccountCode::PlatformVatPayable, currency), vat));
    }
    Ok(debits)
}

/// Where the agency's money goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum RefundTo<'a> {
    /// Less is owed, in this cycle.
    Credit {
        cycle: &'a str,
    },
    Wallet,
    /// To the wallet, later.
    Due,
}

/// The legs that credit the agency with R. A wallet sale had its commission at once, so the wallet gets R less the commission that comes back.
pub(super) fn refund(legs: &RefundLegs, agency: AgencyId, to: RefundTo<'_>) -> Result<Vec<Leg>, MoneyError> {
    let account = |code| AccountKey::agency(code, agency, legs.refund.currency);
    let code = match to {
        RefundTo::Credit { cycle } => {
            return Ok(vec![Leg::credit(account(AccountCode::AgencyReceivable), legs.refund)?.in_cycle(cycle)]);
        }
        RefundTo::Wallet => AccountCode::AgencyWallet,
        RefundTo::Due => AccountCode::AgencyRefundDue,
    };
    let net = legs.refund.checked_sub(legs.commission)?;
    Ok(vec![Leg::credit(account(code), net)?, Leg::credit(account(AccountCode::AgencyCommission), legs.commission)?])
}

/// One ticket exchanged for another.
pub(super) struct Exchange<'a> {
    pub ticket: i64,
    pub given_in: &'a RefundLegs,
    pub airline_leg: AirlineLeg,
    /// Of the fee that is given back.
    pub vat_back: Money,
    pub split: &'a Split,
    /// To the airline, on top of the new ticket's share.
    pub penalty: Money,
    pub agency: AgencyId,
    pub airline: AirlineId,
    pub contract: ContractId,
    pub actor: Actor,
    pub tender: Tender,
    /// Of the credit for the ticket given in, and of the new ticket.
    pub cycles: [&'a str; 2],
}

/// Refund legs, issue legs and the penalty in one posting: limit and line see the difference.
pub(super) fn exchange(one: &Exchange) -> Result<Draft, MoneyError> {
    let (split, currency) = (one.split, one.split.price.currency);
    let [credited, owed] = one.cycles;
    let agency = |code| AccountKey::agency(code, one.agency, currency);
    let mut legs = debits(one.given_in, one.airline_leg, one.vat_back, (one.agency, one.airline))?;
    match one.tender {
        Tender::Credit => {
            legs.extend(refund(one.given_in, one.agency, RefundTo::Credit { cycle: credited })?);
            legs.push(Leg::debit(agency(AccountCode::AgencyReceivable), split.price).in_cycle(owed));
            legs.push(Leg::debit(agency(AccountCode::AgencyReceivable), one.penalty).in_cycle(owed));
        }
        Tender::Wallet => {
            legs.extend(refund(one.given_in, one.agency, RefundTo::Wallet)?);
            legs.push(Leg::debit(agency(AccountCode::AgencyWallet), split.price.checked_sub(split.commission)?));
            legs.push(Leg::debit(agency(AccountCode::AgencyCommission), split.commission));
            legs.push(Leg::debit(agency(AccountCode::AgencyWallet), one.penalty));
        }
    }
    legs.extend(credits(split, one.agency, one.airline)?);
    legs.push(Leg::credit(AccountKey::airline(AccountCode::AirlinePayable, one.airline, currency), one.penalty)?);
    Ok(Draft { event: Event::TicketExchange, reference: one.ticket, contract: Some(one.contract), actor: one.actor, legs })
}

/// Accounts of a sale that have no limit: locked late, in id order, just before they are written.
pub(super) fn unlimited_accounts(plan: &TicketPlan, airline: AirlineId) -> Vec<AccountKey> {
    let currency = plan.split.price.currency;
    let mut keys = vec![
        AccountKey::airline(AccountCode::AirlinePayable, airline, currency),
        AccountKey::platform(AccountCode::PlatformFeeIncome, currency),
    ];
    if plan.split.vat.minor > 0 {
        keys.push(AccountKey::platform(AccountCode::PlatformVatPayable, currency));
    }
    keys.extend(plan.split.authority.iter().map(|tax| AccountKey::tax(&tax.payee, &tax.code, currency)));
    keys
}

pub(super) struct Sale<'a> {
    pub ticket: i64,
    pub split: &'a Split,
    pub agency: AgencyId,
    pub airline: AirlineId,
    pub contract: ContractId,
    pub tender: Tender,
    pub cycle: &'a str,
    pub actor: Actor,
}

/// A ticket issued: on credit the agency owes the gross price; from the wallet it pays the price less its commission at once.
pub(super) fn sale(sale: &Sale) -> Result<Draft, MoneyError> {
    let split = sale.split;
    let currency = split.price.currency;
    let agency = |code| AccountKey::agency(code, sale.agency, currency);
    let mut legs = match sale.tender {
        Tender::Credit => vec![Leg::debit(agency(AccountCode::AgencyReceivable), split.price).in_cycle(sale.cycle)],
        Tender::Wallet => vec![
            Leg::debit(agency(AccountCode::AgencyWallet), split.price.checked_sub(split.commission)?),
            Leg::debit(agency(AccountCode::AgencyCommission), split.commission),
        ],
    };
    legs.extend(credits(split, sale.agency, sale.airline)?);
    Ok(Draft { event: Event::TicketSale, reference: sale.ticket, contract: Some(sale.contract), actor: sale.actor, legs })
}

/// The posting of one ticket of an order, for showing it before or after the fact.
pub fn sale_draft(order: &IssueOrder, split: &Split, tender: Tender, ticket: i64, cycle: &str) -> Result<Draft, MoneyError> {
    sale(&Sale {
        ticket,
        split,
        agency: order.agency,
        airline: order.airline,
        contract: order.contract,
        tender,
        cycle,
        actor: order.cause.actor,
    })
}
