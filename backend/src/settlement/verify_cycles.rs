//! The proof of cycles: what settled them is booked, what was billed is what the statement's lines say, and charges are their recomputation.

use super::charges::ChargeKind;
use super::statement::{StatementError, StatementRow, write_statement};
use crate::db::schema::billing_statement;
use crate::db::{Db, DbError};
use crate::money::divide_half_even;
use crate::ticketing::{SaleFault, first_wrong};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, sql_query};

const CHARGES: &str = "a charge is the recomputation from the balances it names";
const FILES: &str = "a closed statement's file has its digest";

pub(super) const CYCLE_RULES: usize = RULES.len() + 2;

const RULES: &[(&str, &str)] = &[
    (
        "a remittance, and what a guarantor paid, is what it settled",
        "SELECT r.bank_reference AS wrong FROM bank_receipt r LEFT JOIN cycle_settlement k ON k.receipt_id = r.id
         WHERE r.purpose IN ('remittance', 'guarantee') GROUP BY r.id, r.bank_reference, r.amount_minor, r.commission_minor
         HAVING COALESCE(SUM(k.amount_minor), 0) <> r.amount_minor OR COALESCE(SUM(k.commission_minor), 0) <> r.commission_minor LIMIT 1",
    ),
    (
        "what settled a cycle is booked with its own amounts",
        "SELECT s.cycle AS wrong FROM (SELECT agency_id, currency, cycle, posting_id, SUM(amount_minor + commission_minor) AS settled
            FROM cycle_settlement GROUP BY agency_id, currency, cycle, posting_id) s
         LEFT JOIN posting p ON p.id = s.posting_id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.cycle = s.cycle
         LEFT JOIN account a ON a.id = e.account_id AND a.code = 'agency.receivable' AND a.owner_id = s.agency_id AND a.currency = s.currency
         GROUP BY s.agency_id, s.currency, s.cycle, s.posting_id, s.settled
         HAVING COALESCE(SUM(CASE WHEN a.id IS NULL THEN 0 ELSE e.amount_minor END), 0) <> -s.settled LIMIT 1",
    ),
    (
        "credit that is carried leaves one cycle as it comes to another",
        "SELECT MIN(cycle) AS wrong FROM cycle_settlement WHERE kind = 'carried' GROUP BY posting_id HAVING SUM(amount_minor) <> 0 LIMIT 1",
    ),
    (
        "credit that was paid out is booked with its own amount",
        "SELECT c.bank_reference AS wrong FROM credit_payout c
         LEFT JOIN (SELECT posting_id, SUM(amount_minor) AS settled FROM cycle_settlement WHERE kind = 'paid_out' GROUP BY posting_id) k
            ON k.posting_id = c.posting_id
         LEFT JOIN posting p ON p.id = c.posting_id AND p.reference_id = c.id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id AND a.code = 'platform.cash'
         GROUP BY c.id, c.bank_reference, c.amount_minor, k.settled
         HAVING COALESCE(k.settled, 0) <> -c.amount_minor
            OR COALESCE(SUM(CASE WHEN a.id IS NULL THEN 0 ELSE e.amount_minor END), 0) <> -c.amount_minor LIMIT 1",
    ),
    (
        "an agency's charges are those of its obligations less what it paid of them",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT o.agency_id AS agency_id, o.currency AS currency, SUM(c.booked_minor) AS charged
            FROM obligation_charge c JOIN obligation o ON o.id = c.obligation_id GROUP BY o.agency_id, o.currency) s
            ON s.agency_id = a.owner_id AND s.currency = a.currency
         LEFT JOIN (SELECT agency_id, currency, SUM(amount_minor) AS paid FROM bank_receipt WHERE purpose = 'charges'
            GROUP BY agency_id, currency) p ON p.agency_id = a.owner_id AND p.currency = a.currency
         WHERE a.code = 'agency.charges' AND a.balance_minor <> COALESCE(s.charged, 0) - COALESCE(p.paid, 0) LIMIT 1",
    ),
    (
        "a charge is booked with its own amount",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM obligation_charge c
         LEFT JOIN posting p ON p.id = c.posting_id AND p.reference_id = c.id AND p.event IN ('late_fee_charged', 'financing_charged')
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id AND a.code = 'agency.charges'
         GROUP BY c.id, c.booked_minor
         HAVING COALESCE(SUM(CASE WHEN a.id IS NULL THEN 0 ELSE e.amount_minor END), 0) <> c.booked_minor LIMIT 1",
    ),
    (
        "a statement is the sum of its lines",
        "SELECT CAST(s.id AS TEXT) AS wrong FROM billing_statement s
         LEFT JOIN (SELECT statement_id, COUNT(*) AS lines, SUM(gross_minor) AS gross, SUM(commission_minor) AS commission
            FROM statement_line GROUP BY statement_id) l ON l.statement_id = s.id
         WHERE COALESCE(l.lines, 0) <> s.line_count OR COALESCE(l.gross, 0) <> s.gross_minor
            OR COALESCE(l.commission, 0) <> s.commission_minor LIMIT 1",
    ),
    (
        "an obligation is what its statement billed",
        "SELECT s.cycle AS wrong FROM billing_statement s LEFT JOIN obligation o ON o.statement_id = s.id
         WHERE (s.closed_at IS NOT NULL AND (o.id IS NULL OR o.billed_minor <> s.gross_minor - s.commission_minor OR o.cycle <> s.cycle
            OR o.agency_id <> s.agency_id)) OR (s.closed_at IS NULL AND o.id IS NOT NULL) LIMIT 1",
    ),
    (
        "what was netted, applied and written off in a default is what settled the agency's cycles",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM agency a
         LEFT JOIN (SELECT agency_id, SUM(commission_minor) AS netted, SUM(wallet_minor) AS wallet, SUM(deposit_minor) AS deposit,
                SUM(guarantee_minor) AS guaranteed, SUM(written_off_minor) AS lost FROM agency_default GROUP BY agency_id) d ON d.agency_id = a.id
         LEFT JOIN (SELECT agency_id,
                SUM(CASE WHEN kind = 'netted' THEN commission_minor ELSE 0 END) AS netted,
                SUM(CASE WHEN kind = 'wallet' THEN amount_minor ELSE 0 END) AS wallet,
                SUM(CASE WHEN kind = 'deposit' THEN amount_minor ELSE 0 END) AS deposit,
                SUM(CASE WHEN kind = 'guarantee' THEN amount_minor ELSE 0 END) AS guaranteed,
                SUM(CASE WHEN kind = 'written_off' THEN amount_minor ELSE 0 END) AS lost
            FROM cycle_settlement GROUP BY agency_id) k ON k.agency_id = a.id
         WHERE COALESCE(d.netted, 0) <> COALESCE(k.netted, 0) OR COALESCE(d.wallet, 0) <> COALESCE(k.wallet, 0)
            OR COALESCE(d.deposit, 0) <> COALESCE(k.deposit, 0) OR COALESCE(d.guaranteed, 0) <> COALESCE(k.guaranteed, 0)
            OR COALESCE(d.lost, 0) <> COALESCE(k.lost, 0) LIMIT 1",
    ),
    (
        "what was called of a guarantee is what its guarantor paid for its agency",
        "SELECT CAST(g.id AS TEXT) AS wrong FROM guarantee g
         LEFT JOIN bank_receipt r ON r.guarantee_id = g.id AND r.agency_id = g.agency_id AND r.currency = g.currency
         GROUP BY g.id, g.called_minor HAVING COALESCE(SUM(r.amount_minor), 0) <> g.called_minor LIMIT 1",
    ),
    (
        "what was recovered came to the bank",
        "SELECT CAST(d.agency_id AS TEXT) AS wrong FROM (SELECT agency_id, SUM(recovered_minor) AS recovered FROM agency_default GROUP BY agency_id) d
         LEFT JOIN (SELECT agency_id, SUM(amount_minor) AS came FROM bank_receipt WHERE purpose = 'recovery' GROUP BY agency_id) r
            ON r.agency_id = d.agency_id WHERE d.recovered <> COALESCE(r.came, 0) LIMIT 1",
    ),
    (
        "a write-off and the end of a default were agreed to by two",
        "SELECT CAST(d.id AS TEXT) AS wrong FROM agency_default d
         LEFT JOIN approval w ON w.id = d.write_off_approval_id AND w.kind = 'write_off' AND w.status = 'approved'
         LEFT JOIN approval e ON e.id = d.reinstate_approval_id AND e.kind = 'reinstate' AND e.status = 'approved'
         WHERE (d.written_off_minor > 0 AND w.id IS NULL) OR (d.ended_at IS NOT NULL AND e.id IS NULL) LIMIT 1",
    ),
    (
        "an agency in default sells nothing until it is reinstated",
        "SELECT CAST(d.id AS TEXT) AS wrong FROM agency_default d JOIN agency a ON a.id = d.agency_id
         LEFT JOIN kill_switch k ON k.agency_id = d.agency_id AND k.grounds = 'default' AND k.lifted_at IS NULL
         WHERE d.ended_at IS NULL AND a.status <> 'closed' AND k.id IS NULL LIMIT 1",
    ),
];

#[derive(QueryableByName)]
struct Charge {
    #[diesel(sql_type = BigInt)]
    obligation_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    total_scaled: String,
    #[diesel(sql_type = BigInt)]
    total_booked_minor: i64,
    #[diesel(sql_type = BigInt)]
    booked_minor: i64,
}

const IN_ORDER: &str = "SELECT c.obligation_id AS obligation_id, c.kind AS kind, c.total_scaled AS total_scaled,
        c.total_booked_minor AS total_booked_minor, c.booked_minor AS booked_minor
    FROM obligation_charge c ORDER BY c.obligation_id, c.kind, c.day";

/// The first rule that a row breaks.
pub(super) fn first_wrong_cycle(db: &mut Db) -> Result<Option<SaleFault>, DbError> {
    if let Some(fault) = first_wrong(db, RULES)? {
        return Ok(Some(fault));
    }
    let charges: Vec<Charge> = sql_query(IN_ORDER).load(db)?;
    let mut before: Option<&Charge> = None;
    for charge in &charges {
        let same = before.filter(|one| one.obligation_id == charge.obligation_id && one.kind == charge.kind);
        let booked = same.map_or(0, |one| one.total_booked_minor).checked_add(charge.booked_minor);
        let (kind, total) = (ChargeKind::parse(&charge.kind), charge.total_scaled.parse::<i128>().ok());
        let due = kind.zip(total).and_then(|(kind, total)| divide_half_even(total, kind.scale()));
        if booked != Some(charge.total_booked_minor) || due != Some(i128::from(charge.total_booked_minor)) {
            return Ok(Some(SaleFault { rule: CHARGES, row: charge.obligation_id.to_string() }));
        }
        before = Some(charge);
    }
    let closed = billing_statement::table.filter(billing_statement::closed_at.is_not_null()).order(billing_statement::id);
    let closed: Vec<StatementRow> = closed.select(StatementRow::as_select()).load(db)?;
    for statement in closed {
        match write_statement(db, &statement, std::io::sink()) {
            Ok(_) => {}
            Err(StatementError::Db(error)) => return Err(error),
            Err(error) => return Ok(Some(SaleFault { rule: FILES, row: format!("{}: {error}", statement.cycle) })),
        }
    }
    Ok(None)
}
