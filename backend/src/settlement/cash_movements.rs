//! How the ledger moved our bank accounts, each movement with the reference that the bank knows it by, and the proof of the proofs.

use super::cash_proof::{CashAccount, CashItemRow};
use crate::db::schema::cash_item;
use crate::db::{Db, DbError, stored_currency};
use crate::ids::HOUR;
use crate::ledger::Purse;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel::{QueryableByName, sql_query};
use std::collections::HashMap;

/// One entry of a cash account.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Movement {
    #[diesel(sql_type = BigInt)]
    pub entry_id: i64,
    #[diesel(sql_type = BigInt)]
    pub posting_id: i64,
    #[diesel(sql_type = BigInt)]
    pub minor: i64,
    /// Empty where the bank has not told it yet, or nobody has.
    #[diesel(sql_type = Text)]
    pub reference: String,
}

/// By the business object that a posting is about.
const REFERENCES: &str = "LEFT JOIN bank_receipt r ON r.id = p.reference_id LEFT JOIN bank_payment b ON b.id = p.reference_id
    LEFT JOIN credit_payout c ON c.id = p.reference_id LEFT JOIN cash_transfer x ON x.id = p.reference_id
    LEFT JOIN payout y ON y.id = p.reference_id
    LEFT JOIN advance v ON v.ticket_id = p.reference_id AND p.event = 'advance_confirmed'";

const REFERENCE: &str =
    "COALESCE(r.bank_reference, b.bank_reference, c.bank_reference, x.bank_reference, y.reference, v.bank_reference, '')";

/// What a day moved. Ids grow with real time, and nodes' clocks differ by less than an hour: what was looked at before is not read again, but for that.
pub(super) fn day_of(db: &mut Db, account: CashAccount, date: NaiveDate, after: i64) -> Result<Vec<Movement>, DbError> {
    let text = format!(
        "SELECT e.id AS entry_id, e.posting_id AS posting_id, e.amount_minor AS minor, {REFERENCE} AS reference
         FROM entry e JOIN posting p ON p.id = e.posting_id JOIN account a ON a.id = e.account_id {REFERENCES}
         WHERE a.code = 'platform.cash' AND a.detail = $1 AND a.currency = $2 AND p.ledger_date = $3 AND e.id > $4 ORDER BY e.id"
    );
    let query = sql_query(text).bind::<Text, _>(account.purse.text()).bind::<Text, _>(account.currency.code());
    Ok(query.bind::<Date, _>(date).bind::<BigInt, _>(after.saturating_sub(HOUR).max(0)).load(db)?)
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    posting_id: i64,
    #[diesel(sql_type = Text)]
    reference: String,
}

/// What is open, with the references that have become known since.
pub(super) fn named_since(db: &mut Db, account: CashAccount) -> Result<Vec<CashItemRow>, DbError> {
    let open = cash_item::table.filter(cash_item::account.eq(account.purse.text()));
    let open = open.filter(cash_item::currency.eq(account.currency.code())).filter(cash_item::cleared_on.is_null());
    let mut items: Vec<CashItemRow> = open.order(cash_item::id).select(CashItemRow::as_select()).load(db)?;
    let text = format!(
        "SELECT p.id AS posting_id, {REFERENCE} AS reference FROM cash_item i JOIN posting p ON p.id = i.posting_id {REFERENCES}
         WHERE i.account = $1 AND i.currency = $2 AND i.cleared_on IS NULL AND i.bank_reference = ''"
    );
    let query = sql_query(text).bind::<Text, _>(account.purse.text()).bind::<Text, _>(account.currency.code());
    let named: Vec<Named> = query.load(db)?;
    let named: HashMap<i64, String> = named.into_iter().map(|row| (row.posting_id, row.reference)).collect();
    for item in items.iter_mut().filter(|item| item.bank_reference.is_empty()) {
        if let Some(reference) = item.posting_id.and_then(|id| named.get(&id)) {
            item.bank_reference.clone_from(reference);
        }
    }
    Ok(items)
}

#[derive(QueryableByName)]
struct FirstDay {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

pub(super) fn first_day_of(db: &mut Db, account: CashAccount) -> Result<Option<NaiveDate>, DbError> {
    let text =
        "SELECT p.ledger_date AS day FROM entry e JOIN posting p ON p.id = e.posting_id JOIN account a ON a.id = e.account_id
         WHERE a.code = 'platform.cash' AND a.detail = $1 AND a.currency = $2 ORDER BY e.id LIMIT 1";
    let query = sql_query(text).bind::<Text, _>(account.purse.text()).bind::<Text, _>(account.currency.code());
    let first: Vec<FirstDay> = query.load(db)?;
    Ok(first.first().map(|row| row.day))
}

#[derive(QueryableByName)]
struct AccountName {
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Text)]
    currency: String,
}

/// Our bank accounts that were ever moved.
pub fn cash_accounts(db: &mut Db) -> Result<Vec<CashAccount>, DbError> {
    let text = "SELECT DISTINCT a.detail AS detail, a.currency AS currency FROM account a
         WHERE a.code = 'platform.cash' AND a.version > 0 ORDER BY a.currency, a.detail";
    let rows: Vec<AccountName> = sql_query(text).load(db)?;
    let read = |row: AccountName| {
        let purse = Purse::parse(&row.detail).ok_or_else(|| DbError::Corrupt(format!("cash account {}", row.detail)))?;
        Ok(CashAccount { purse, currency: stored_currency(&row.currency)? })
    };
    rows.into_iter().map(read).collect()
}

pub(super) const CASH_RULES: usize = RULES.len();

pub(super) const RULES: &[(&str, &str)] = &[
    (
        "a day of cash that was proven closed with what the ledger's entries say",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM cash_proof c
         LEFT JOIN (SELECT a.detail AS account, a.currency AS currency, p.ledger_date AS day, SUM(e.amount_minor) AS moved
            FROM entry e JOIN posting p ON p.id = e.posting_id JOIN account a ON a.id = e.account_id WHERE a.code = 'platform.cash'
            GROUP BY a.detail, a.currency, p.ledger_date) m ON m.account = c.account AND m.currency = c.currency AND m.day <= c.date
         WHERE c.state <> 'unavailable' GROUP BY c.id, c.ledger_minor HAVING COALESCE(SUM(m.moved), 0) <> c.ledger_minor LIMIT 1",
    ),
    (
        "what a proof of cash names is what was open at the end of its day, and the rest is unexplained",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM cash_proof c
         LEFT JOIN cash_item i ON i.account = c.account AND i.currency = c.currency AND i.since <= c.date
            AND (i.cleared_on IS NULL OR i.cleared_on > c.date)
         WHERE c.state <> 'unavailable'
         GROUP BY c.id, c.ledger_minor, c.bank_minor, c.in_transit_minor, c.unmatched_receipts_minor, c.bank_fees_minor, c.unexplained_minor
         HAVING COALESCE(SUM(CASE WHEN i.kind = 'in_transit' THEN i.amount_minor ELSE 0 END), 0) <> c.in_transit_minor
            OR COALESCE(SUM(CASE WHEN i.kind = 'unmatched_receipt' THEN i.amount_minor ELSE 0 END), 0) <> c.unmatched_receipts_minor
            OR COALESCE(SUM(CASE WHEN i.kind = 'bank_fee' THEN i.amount_minor ELSE 0 END), 0) <> c.bank_fees_minor
            OR c.bank_minor - c.ledger_minor <> c.unmatched_receipts_minor + c.bank_fees_minor - c.in_transit_minor + c.unexplained_minor
         LIMIT 1",
    ),
];
