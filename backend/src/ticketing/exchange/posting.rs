//! The postings of an exchange, and the advances for its new tickets.

use super::confirm::{Prepared, Swap};
use super::error::ChangeError;
use super::stored::{OrderChangeRow, TicketExchangeRow};
use crate::agencies::AirlinePayment;
use crate::audit::Cause;
use crate::credit::{
    AdvanceRow, AdvanceState, OwnSetOff, TakeBack, Taking, TransferRow, cover, loan_account, top_up_client_cash,
};
use crate::db::{DbError, WriteTx};
use crate::ids::{AdvanceId, Id, TicketId};
use crate::ledger::{AccountKey, Book, Draft, Event, Leg};
use crate::money::{Money, MoneyError};
use crate::notify::{OutboxRow, PAY_ADVANCE};
use crate::ordering::Tender;
use crate::ticketing::build::{Document, build_ticket};
use crate::ticketing::decide::Decision;
use crate::ticketing::plan::TicketPlan;
use crate::ticketing::postings::{Exchange, exchange};
use crate::ticketing::refund::credit_cycle;
use crate::ticketing::ticket::IssuedOrder;
use crate::ticketing::vat::vat_given_back;

/// The rows of an exchange beside the book's.
#[derive(Default)]
pub(super) struct Written {
    pub exchanges: Vec<TicketExchangeRow>,
    pub advances: Vec<AdvanceRow>,
    pub outbox: Vec<OutboxRow>,
    pub transfers: Vec<TransferRow>,
    pub set_offs: Vec<OwnSetOff>,
}

/// What is left of the new share once the airline's debt is set off against it.
pub(super) fn to_be_paid(share: Money, certain: Money) -> Result<Money, MoneyError> {
    let left = share.checked_sub(certain)?;
    Ok(if left.is_negative() { Money::zero(share.currency) } else { left })
}

pub(super) struct Posting<'p, 'a> {
    pub cause: &'p Cause,
    pub prepared: &'p Prepared<'a>,
    pub change: &'p OrderChangeRow,
    pub decision: &'p Decision,
    pub book: &'p mut Book,
    pub taken: &'p mut TakeBack,
}

impl Posting<'_, '_> {
    pub fn post(&mut self, tx: &mut WriteTx, new: &mut IssuedOrder, written: &mut Written) -> Result<(), ChangeError> {
        let currency = self.prepared.order.currency;
        let zero = Money::zero(currency);
        let before = match self.prepared.tender {
            Tender::Wallet => Some((cover(tx.db, currency)?, self.taken.owed_from_client_cash()?.unwrap_or(zero))),
            Tender::Credit => None,
        };
        let (mut to_wallet, mut owed_anew) = (zero, zero);
        for (index, swap) in self.prepared.swaps.iter().enumerate() {
            let Some((plan, number)) = self.prepared.order.tickets.get(index).zip(self.decision.documents.get(index)) else {
                return Err(DbError::Corrupt("a ticket of an exchange has no number".into()).into());
            };
            let document =
                Document { ticket: tx.ids.next(), number: *number, issue_date: tx.now.date_in(self.prepared.seller.zone) };
            owed_anew = owed_anew.checked_add(self.swap(tx, swap, plan, document.ticket, written)?)?;
            build_ticket(tx, &self.prepared.order, plan, document, swap.passenger, new)?;
            let net = |price: Money, commission: Money| price.checked_sub(commission);
            let paid = net(plan.split.price, plan.split.commission)?.checked_add(swap.penalty)?;
            to_wallet = to_wallet.checked_add(net(swap.given_in.refund, swap.given_in.commission)?)?.checked_sub(paid)?;
        }
        if let Some((cover, owed)) = before {
            let owed_now = self.taken.owed_from_client_cash()?.unwrap_or(zero).checked_add(owed_anew)?;
            let missing = to_wallet.checked_add(owed_now)?.checked_sub(owed)?.checked_sub(cover)?;
            if missing.minor > 0 {
                let ticket = self.prepared.swaps.first().map(|swap| TicketId::of(swap.old.id));
                written.transfers.push(top_up_client_cash(tx, self.book, self.cause.actor, missing, ticket)?);
            }
        }
        Ok(())
    }

    /// Posts one exchange, sets off what the airline owes for the old ticket, and orders the rest to be paid; answers how much that is.
    fn swap(
        &mut self,
        tx: &mut WriteTx,
        swap: &Swap<'_>,
        plan: &TicketPlan,
        ticket: TicketId,
        written: &mut Written,
    ) -> Result<Money, ChangeError> {
        let order = &self.prepared.order;
        let given_in = TicketId::of(swap.old.id);
        let certain = self.taken.outlook(given_in, swap.given_in.airline)?.certain;
        let taking = Taking { ticket: given_in, airline: order.airline, reference: ticket.raw(), amount: swap.given_in.airline };
        let airline_leg = self.taken.take(tx, self.book, taking)?;
        let today = tx.now.date_in(self.prepared.seller.zone);
        let (credited, owed) =
            (credit_cycle(tx, &self.prepared.seller, self.prepared.issued), order.cycle_rule.cycle_of(today).to_string());
        let on_credit = self.prepared.tender == Tender::Credit;
        let vat_back = vat_given_back(tx.db, swap.old, swap.given_in.fee)?;
        let draft = exchange(&Exchange {
            ticket: ticket.raw(),
            given_in: &swap.given_in,
            airline_leg,
            vat_back,
            split: &plan.split,
            penalty: swap.penalty,
            agency: order.agency,
            airline: order.airline,
            contract: order.contract,
            actor: self.cause.actor,
            tender: self.prepared.tender,
            cycles: [&credited, &owed],
        })?;
        self.book.post(tx, &draft)?;
        written.exchanges.push(TicketExchangeRow {
            ticket_id: ticket.raw(),
            given_in_ticket_id: given_in.raw(),
            order_change_id: self.change.id,
            penalty_minor: swap.penalty.minor,
            given_in_minor: swap.given_in.refund.minor,
            airline_minor: swap.given_in.airline.minor,
            authority_minor: Money::sum(order.currency, swap.given_in.authority.iter().map(|tax| tax.amount))?.minor,
            commission_minor: swap.given_in.commission.minor,
            fee_minor: swap.given_in.fee.minor,
            cycle: on_credit.then(|| owed.clone()),
            given_in_cycle: on_credit.then(|| credited.clone()),
            created_at: tx.now.naive(),
        });
        let share = plan.split.airline.checked_add(swap.penalty)?;
        let open = to_be_paid(share, certain)?;
        self.advance(tx, ticket, given_in, [share, open], written)?;
        Ok(open)
    }

    fn advance(
        &mut self,
        tx: &mut WriteTx,
        ticket: TicketId,
        given_in: TicketId,
        [share, open]: [Money; 2],
        written: &mut Written,
    ) -> Result<(), ChangeError> {
        if share.minor == 0 {
            return Ok(());
        }
        let id: AdvanceId = tx.ids.next();
        let set_off = share.checked_sub(open)?;
        if set_off.minor > 0 {
            let settlement = tx.ids.block(1);
            let receivable = crate::credit::receivable_from(self.prepared.order.airline, share.currency);
            let payable = AccountKey { code: crate::ledger::AccountCode::AirlinePayable, ..receivable.clone() };
            let legs = vec![Leg::debit(payable, set_off), Leg::credit(receivable, set_off)?];
            let actor = self.cause.actor;
            let draft = Draft { event: Event::ClaimSetOff, reference: settlement, contract: None, actor, legs };
            let posting = self.book.post(tx, &draft)?;
            written.set_offs.push(OwnSetOff { id: settlement, given_in, advance: id, amount: set_off, posting });
        }
        let is_open = open.minor > 0;
        let facility = self.decision.facility.filter(|_| is_open);
        let hold = match facility {
            Some(facility) => Some(self.book.hold(tx, &loan_account(facility, open.currency), open, ticket.raw())?),
            None => None,
        };
        // What is set off needs no order.
        let is_ordered = !is_open || self.prepared.order.airline_payment == AirlinePayment::Instant;
        written.advances.push(AdvanceRow {
            id: id.raw(),
            ticket_id: ticket.raw(),
            airline_id: self.prepared.order.airline.raw(),
            facility_id: facility.map(Id::raw),
            hold_id: hold.map(Id::raw),
            amount_minor: share.minor,
            set_off_minor: set_off.minor,
            cancelled_minor: 0,
            reclaimed_minor: 0,
            currency: share.currency.code().to_owned(),
            state: if is_open { AdvanceState::Held } else { AdvanceState::SetOff }.text().to_owned(),
            attempt: 1,
            sold_at: tx.now.naive(),
            sent_at: None,
            confirmed_at: None,
            credited_at: None,
            bank_reference: None,
            detail: None,
            resolved_at: (!is_open).then(|| tx.now.naive()),
            waits_until: None,
            funding: self.decision.funding(facility).text().to_owned(),
            ordered_at: is_ordered.then(|| tx.now.naive()),
            payee_change_id: None,
        });
        if is_open && is_ordered {
            written.outbox.push(OutboxRow::new(tx, PAY_ADVANCE, id.raw()));
        }
        Ok(())
    }
}
