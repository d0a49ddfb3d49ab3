//! The VAT that the platform's fee contains, by the contract that a ticket was sold under. A sale posts that of its fee; whatever gives back a part of the
//! fee gives back the difference that this makes, so that after any number of refunds what is payable is the VAT of the fee that is left, to the minor unit.

use super::ticket::TicketRow;
use super::verify::SaleFault;
use crate::agencies::contract;
use crate::catalogue::split::vat_in;
use crate::db::schema::refund_ticket;
use crate::db::{Db, DbError};
use crate::ids::{ContractId, Id};
use crate::ledger::{AccountCode, AccountKey, balances};
use crate::money::{Currency, Money, MoneyError, Rate};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;

const PAYABLE: &str = "VAT payable is that of the fees that tickets have left";

/// Of a part of a ticket's fee that is given back. Before the refund that gives it back is posted.
pub(super) fn vat_given_back(db: &mut Db, ticket: &TicketRow, part: Money) -> Result<Money, DbError> {
    let zero = Money::zero(part.currency);
    let contract = contract(db, ContractId::of(ticket.contract_id))?;
    let rate = contract.map_or(Rate::from(rust_decimal::Decimal::ZERO), |contract| contract.costs.vat_rate);
    if rate.decimal().is_zero() || part.minor == 0 {
        return Ok(zero);
    }
    let posted = refund_ticket::table
        .filter(refund_ticket::ticket_id.eq(ticket.id))
        .filter(refund_ticket::posted_at.is_not_null())
        .select(refund_ticket::fee_minor);
    let before: Vec<i64> = posted.load(db)?;
    let earned = Money::new(ticket.fee_minor - before.iter().sum::<i64>(), part.currency);
    let corrupt = |error: MoneyError| DbError::Corrupt(format!("fee of ticket {}: {error}", ticket.number));
    let left = earned.checked_sub(part).map_err(corrupt)?;
    let (earned, left) = (vat_in(earned, rate).map_err(corrupt)?, vat_in(left, rate).map_err(corrupt)?);
    earned.checked_sub(left).map_err(corrupt)
}

#[derive(QueryableByName)]
struct Earned {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    vat_rate: String,
    #[diesel(sql_type = BigInt)]
    fee: i64,
}

const EARNED: &str = "SELECT t.currency AS currency, c.vat_rate AS vat_rate,
        CAST(t.fee_minor - COALESCE(r.refunded, 0) - COALESCE(x.given_in, 0) AS BIGINT) AS fee
    FROM ticket t JOIN contract c ON c.id = t.contract_id AND c.vat_rate <> '0' JOIN air_order o ON o.id = t.order_id
    LEFT JOIN (SELECT ticket_id, SUM(fee_minor) AS refunded FROM refund_ticket WHERE posted_at IS NOT NULL GROUP BY ticket_id) r
        ON r.ticket_id = t.id
    LEFT JOIN (SELECT n.given_in_ticket_id AS ticket_id, SUM(n.fee_minor) AS given_in FROM ticket_exchange n
        JOIN order_change h ON h.id = n.order_change_id WHERE h.voided_at IS NULL GROUP BY n.given_in_ticket_id) x ON x.ticket_id = t.id
    WHERE o.cancelled_at IS NULL AND NOT EXISTS (SELECT 1 FROM ticket_exchange n JOIN order_change h ON h.id = n.order_change_id
        WHERE n.ticket_id = t.id AND h.voided_at IS NOT NULL)";

/// The proof of what is payable, per currency.
pub(super) fn first_wrong_vat(db: &mut Db) -> Result<Option<SaleFault>, DbError> {
    let mut expected: BTreeMap<Currency, i64> = BTreeMap::new();
    let corrupt = |error: MoneyError| DbError::Corrupt(format!("VAT: {error}"));
    let sold: Vec<Earned> = sql_query(EARNED).load(db)?;
    for ticket in sold {
        let currency = Currency::parse(&ticket.currency).map_err(corrupt)?;
        let rate = Rate::parse(&ticket.vat_rate).map_err(corrupt)?;
        let vat = vat_in(Money::new(ticket.fee, currency), rate).map_err(corrupt)?;
        let sum = expected.entry(currency).or_default();
        *sum = sum.saturating_add(vat.minor);
    }
    let keys: Vec<AccountKey> =
        expected.keys().map(|currency| AccountKey::platform(AccountCode::PlatformVatPayable, *currency)).collect();
    let booked: BTreeMap<Currency, i64> =
        balances(db, &keys)?.into_iter().map(|(key, balance)| (key.currency, balance.minor)).collect();
    let wrong = expected.into_iter().find(|(currency, minor)| booked.get(currency).copied().unwrap_or(0) != *minor);
    Ok(wrong.map(|(currency, _)| SaleFault { rule: PAYABLE, row: currency.to_string() }))
}
