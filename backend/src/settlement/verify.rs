//! The proof of what follows the sale: what came and went is booked with its own amounts, and what is owed is what the records say.

use super::cash_movements::{self, CASH_RULES};
use super::incentives::{INCENTIVE_RULES, first_wrong_incentive};
use super::memo::{self, MEMO_RULES};
use super::verify_cycles::{CYCLE_RULES, first_wrong_cycle};
use crate::approvals::{APPROVAL_RULES, first_wrong_approval};
use crate::credit::{CREDIT_RULES, FacilityError, LINE_RULES, first_wrong_credit, first_wrong_line};
use crate::db::{Db, DbError};
use crate::money::divide_half_even;
use crate::ticketing::{SaleFault, first_wrong};
use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Date, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

const INTEREST: &str = "interest is the recomputation from the entries of the loan";

/// Rules that are queries, those of the incentives, the memos, the proofs of cash, the cycles, the approvals, the limits and the bank lines, and the
/// recomputation of interest.
pub const SETTLEMENT_RULES: usize =
    RULES.len() + INCENTIVE_RULES + MEMO_RULES + CASH_RULES + CYCLE_RULES + APPROVAL_RULES + CREDIT_RULES + LINE_RULES + 1;

const RULES: &[(&str, &str)] = &[
    (
        "a bank payment is booked with its own amounts",
        "SELECT b.bank_reference AS wrong FROM bank_payment b LEFT JOIN posting p ON p.id = b.posting_id AND p.reference_id = b.id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY b.id, b.bank_reference, b.amount_minor, b.principal_minor, b.interest_minor
         HAVING COALESCE(SUM(CASE WHEN a.code = 'platform.cash' THEN e.amount_minor ELSE 0 END), 0) <> -b.amount_minor
            OR COALESCE(SUM(CASE WHEN a.code = 'bank.loan' THEN e.amount_minor ELSE 0 END), 0) <> b.principal_minor
            OR COALESCE(SUM(CASE WHEN a.code = 'bank.interest' THEN e.amount_minor ELSE 0 END), 0) <> b.interest_minor LIMIT 1",
    ),
    (
        "what an agency owes in a cycle is its tickets less voids, refunds, incentives and what settled it, and its memos",
        "SELECT k.cycle AS wrong FROM (
            SELECT a.owner_id AS agency_id, a.currency AS currency, e.cycle AS cycle, SUM(e.amount_minor) AS booked
            FROM entry e JOIN account a ON a.id = e.account_id WHERE a.code = 'agency.receivable'
            GROUP BY a.owner_id, a.currency, e.cycle) k
         LEFT JOIN (SELECT o.agency_id AS agency_id, o.currency AS currency, COALESCE(x.cycle, o.cycle) AS cycle,
                SUM(t.price_minor + COALESCE(x.penalty_minor, 0)) AS sold
            FROM ticket t JOIN air_order o ON o.id = t.order_id
            LEFT JOIN ticket_exchange x ON x.ticket_id = t.id LEFT JOIN order_change h ON h.id = x.order_change_id
            WHERE o.tender = 'credit' AND o.cancelled_at IS NULL AND h.voided_at IS NULL
            GROUP BY o.agency_id, o.currency, COALESCE(x.cycle, o.cycle)) s
            ON s.agency_id = k.agency_id AND s.currency = k.currency AND s.cycle = k.cycle
         LEFT JOIN (SELECT r.agency_id AS agency_id, r.currency AS currency, r.cycle AS cycle,
                SUM(r.amount_minor + r.commission_minor) AS paid
            FROM cycle_settlement r GROUP BY r.agency_id, r.currency, r.cycle) p
            ON p.agency_id = k.agency_id AND p.currency = k.currency AND p.cycle = k.cycle
         LEFT JOIN (SELECT d.agency_id AS agency_id, d.currency AS currency, d.cycle AS cycle, SUM(d.accrued_minor) AS incentive
            FROM incentive_period d WHERE d.posting_id IS NOT NULL GROUP BY d.agency_id, d.currency, d.cycle) i
            ON i.agency_id = k.agency_id AND i.currency = k.currency AND i.cycle = k.cycle
         LEFT JOIN (SELECT agency_id, currency, cycle, SUM(CASE kind WHEN 'adm' THEN decided_minor ELSE -decided_minor END) AS claimed
            FROM memo WHERE status = 'posted' GROUP BY agency_id, currency, cycle) m
            ON m.agency_id = k.agency_id AND m.currency = k.currency AND m.cycle = k.cycle
         LEFT JOIN (SELECT f.agency_id AS agency_id, f.currency AS currency, r.cycle AS cycle,
                SUM(r.fare_minor + r.tax_minor - r.penalty_minor) AS refunded
            FROM refund_ticket r JOIN refund_application f ON f.id = r.application_id WHERE r.cycle IS NOT NULL
            GROUP BY f.agency_id, f.currency, r.cycle) b
            ON b.agency_id = k.agency_id AND b.currency = k.currency AND b.cycle = k.cycle
         LEFT JOIN (SELECT h.agency_id AS agency_id, h.currency AS currency, x.given_in_cycle AS cycle, SUM(x.given_in_minor) AS given_in
            FROM ticket_exchange x JOIN order_change h ON h.id = x.order_change_id WHERE h.voided_at IS NULL
            GROUP BY h.agency_id, h.currency, x.given_in_cycle) g
            ON g.agency_id = k.agency_id AND g.currency = k.currency AND g.cycle = k.cycle
         WHERE k.booked <> COALESCE(s.sold, 0) - COALESCE(g.given_in, 0) - COALESCE(b.refunded, 0) - COALESCE(p.paid, 0)
            - COALESCE(i.incentive, 0) + COALESCE(m.claimed, 0) OR k.cycle IS NULL LIMIT 1",
    ),
    (
        "commission not yet netted is that of credit tickets less voids, refunds and what was netted",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT t.agency_id AS agency_id, t.currency AS currency, SUM(t.commission_minor) AS earned
            FROM ticket t JOIN air_order o ON o.id = t.order_id
            LEFT JOIN ticket_exchange x ON x.ticket_id = t.id LEFT JOIN order_change h ON h.id = x.order_change_id
            WHERE o.tender = 'credit' AND o.cancelled_at IS NULL AND h.voided_at IS NULL
            GROUP BY t.agency_id, t.currency) s ON s.agency_id = a.owner_id AND s.currency = a.currency
         LEFT JOIN (SELECT r.agency_id AS agency_id, r.currency AS currency, SUM(r.commission_minor) AS netted
            FROM cycle_settlement r GROUP BY r.agency_id, r.currency) p
            ON p.agency_id = a.owner_id AND p.currency = a.currency
         LEFT JOIN (SELECT f.agency_id AS agency_id, f.currency AS currency, SUM(r.commission_minor) AS clawed_back
            FROM refund_ticket r JOIN refund_application f ON f.id = r.application_id WHERE r.cycle IS NOT NULL
            GROUP BY f.agency_id, f.currency) b ON b.agency_id = a.owner_id AND b.currency = a.currency
         LEFT JOIN (SELECT h.agency_id AS agency_id, h.currency AS currency, SUM(x.commission_minor) AS given_in
            FROM ticket_exchange x JOIN order_change h ON h.id = x.order_change_id WHERE h.voided_at IS NULL AND x.cycle IS NOT NULL
            GROUP BY h.agency_id, h.currency) g ON g.agency_id = a.owner_id AND g.currency = a.currency
         WHERE a.code = 'agency.commission'
            AND -a.balance_minor <> COALESCE(s.earned, 0) - COALESCE(g.given_in, 0) - COALESCE(b.clawed_back, 0) - COALESCE(p.netted, 0) LIMIT 1",
    ),
    (
        "a tax owed is what tickets carried less voids, refunds and payments",
        "SELECT a.detail AS wrong FROM account a
         LEFT JOIN (SELECT x.payee AS payee, x.code AS code, t.currency AS currency, SUM(x.minor) AS due
            FROM ticket_tax x JOIN ticket t ON t.id = x.ticket_id JOIN air_order o ON o.id = t.order_id
            WHERE x.remitter = 'platform' AND o.cancelled_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM ticket_exchange n WHERE n.ticket_id = t.id) GROUP BY x.payee, x.code, t.currency) s
            ON s.payee || '/' || s.code = a.detail AND s.currency = a.currency
         LEFT JOIN (SELECT b.payee AS payee, b.tax_code AS code, b.currency AS currency, SUM(b.amount_minor) AS paid
            FROM bank_payment b WHERE b.purpose = 'tax' GROUP BY b.payee, b.tax_code, b.currency) p
            ON p.payee || '/' || p.code = a.detail AND p.currency = a.currency
         LEFT JOIN (SELECT x.payee AS payee, x.code AS code, f.currency AS currency, SUM(x.minor) AS refunded
            FROM refund_tax x JOIN refund_ticket r ON r.id = x.refund_id AND r.posted_at IS NOT NULL
            JOIN refund_application f ON f.id = r.application_id
            WHERE x.remitter = 'platform' GROUP BY x.payee, x.code, f.currency) b
            ON b.payee || '/' || b.code = a.detail AND b.currency = a.currency
         LEFT JOIN (SELECT e.account_id AS account_id, -SUM(e.amount_minor) AS due FROM posting q
            JOIN entry e ON e.id > q.id AND e.id <= q.id + q.entry_count
            WHERE q.event IN ('ticket_exchange', 'exchange_void') GROUP BY e.account_id) x ON x.account_id = a.id
         WHERE a.code = 'authority.tax'
            AND -a.balance_minor <> COALESCE(s.due, 0) + COALESCE(x.due, 0) - COALESCE(b.refunded, 0) - COALESCE(p.paid, 0) LIMIT 1",
    ),
    (
        "interest owed is what was accrued less what was paid",
        "SELECT f.name AS wrong FROM facility f JOIN account a ON a.owner_id = f.id AND a.code = 'bank.interest'
         LEFT JOIN (SELECT facility_id, SUM(booked_minor + commitment_booked_minor) AS accrued FROM facility_accrual GROUP BY facility_id) s
            ON s.facility_id = f.id
         LEFT JOIN (SELECT facility_id, SUM(booked_minor + commitment_booked_minor) AS corrected FROM facility_correction
            GROUP BY facility_id) c ON c.facility_id = f.id
         LEFT JOIN (SELECT facility_id, SUM(interest_minor) AS paid FROM bank_payment GROUP BY facility_id) p ON p.facility_id = f.id
         WHERE -a.balance_minor <> COALESCE(s.accrued, 0) + COALESCE(c.corrected, 0) - COALESCE(p.paid, 0) LIMIT 1",
    ),
    (
        "a correction of interest is booked with its own amount",
        "SELECT CAST(f.id AS TEXT) AS wrong FROM facility_correction f
         LEFT JOIN posting p ON p.id = f.posting_id AND p.reference_id = f.id AND p.event = 'interest_corrected'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count
         LEFT JOIN account a ON a.id = e.account_id AND a.code = 'platform.interest_expense'
         GROUP BY f.id, f.booked_minor, f.commitment_booked_minor
         HAVING COALESCE(SUM(CASE WHEN a.id IS NULL THEN 0 ELSE e.amount_minor END), 0) <> f.booked_minor + f.commitment_booked_minor LIMIT 1",
    ),
    (
        "a movement that is dated back has its correction, and a correction its movement",
        "SELECT c.wrong AS wrong FROM (
            SELECT CAST(f.id AS TEXT) AS wrong FROM facility_correction f
            LEFT JOIN bank_payment b ON b.id = f.reference_id AND b.facility_id = f.facility_id AND -b.principal_minor = f.moved_minor
                AND b.value_date = f.from_day
            LEFT JOIN advance x ON x.id = f.reference_id AND x.facility_id = f.facility_id AND x.state = 'confirmed'
                AND x.amount_minor - x.set_off_minor - x.cancelled_minor = f.moved_minor
            WHERE (f.cause = 'repayment' AND b.id IS NULL) OR (f.cause = 'draw' AND x.id IS NULL)
            UNION ALL
            SELECT b.bank_reference AS wrong FROM bank_payment b JOIN posting p ON p.id = b.posting_id
            LEFT JOIN facility_correction f ON f.reference_id = b.id AND f.until_day = p.ledger_date
            WHERE b.principal_minor > 0 AND b.value_date < p.ledger_date AND f.id IS NULL
                AND b.id > (SELECT MIN(id) FROM facility_correction)) c LIMIT 1",
    ),
    (
        "a provision is booked with its own amount, and the allowance is the last one less what was written off since",
        "SELECT CAST(v.id AS TEXT) AS wrong FROM loss_provision v
         LEFT JOIN posting p ON p.id = v.posting_id AND p.reference_id = v.id AND p.event = 'loss_provided'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count
         LEFT JOIN account a ON a.id = e.account_id AND a.code = 'platform.credit_loss_allowance' AND a.owner_id = v.agency_id
         GROUP BY v.id, v.booked_minor, v.allowance_minor
         HAVING COALESCE(SUM(CASE WHEN a.id IS NULL THEN 0 ELSE -e.amount_minor END), 0) <> v.booked_minor
            OR COALESCE(MAX(CASE WHEN a.id IS NULL THEN NULL ELSE -e.balance_after_minor END), v.allowance_minor) <> v.allowance_minor LIMIT 1",
    ),
    (
        "a contract that had to be agreed to was",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM contract c LEFT JOIN approval v ON v.id = c.approval_id AND v.status = 'approved'
            AND v.kind = 'negative_margin'
         WHERE c.approval_id IS NOT NULL AND v.id IS NULL LIMIT 1",
    ),
    (
        "own money on its way to the client account is what was ordered and not confirmed",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT currency, SUM(amount_minor) AS ordered FROM cash_transfer
            WHERE to_account = 'client' AND confirmed_at IS NULL GROUP BY currency) s ON s.currency = a.currency
         WHERE a.code = 'platform.cash_transfer' AND a.balance_minor <> COALESCE(s.ordered, 0) LIMIT 1",
    ),
    (
        "a payout is booked with its own amount, from its agency's account",
        "SELECT b.reference AS wrong FROM payout b LEFT JOIN posting p ON p.id = b.posting_id AND p.reference_id = b.id
            AND p.event = CASE b.purpose WHEN 'deposit_return' THEN 'deposit_returned' ELSE 'wallet_transfer_out' END
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY b.id, b.reference, b.amount_minor, b.purpose, b.agency_id, b.currency
         HAVING COALESCE(SUM(CASE WHEN a.code = 'platform.cash' AND a.detail = 'client' AND a.currency = b.currency
                THEN e.amount_minor ELSE 0 END), 0) <> -b.amount_minor
            OR COALESCE(SUM(CASE WHEN a.owner_id = b.agency_id
                AND a.code = CASE b.purpose WHEN 'deposit_return' THEN 'agency.deposit' ELSE 'agency.wallet' END
                THEN e.amount_minor ELSE 0 END), 0) <> b.amount_minor LIMIT 1",
    ),
    (
        "a day of interest is booked with its own amount",
        "SELECT CAST(f.id AS TEXT) AS wrong FROM facility_accrual f
         LEFT JOIN posting p ON p.id = f.posting_id AND p.reference_id = f.id AND p.event = 'interest_accrued'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.amount_minor > 0
         GROUP BY f.id, f.booked_minor, f.commitment_booked_minor
         HAVING COALESCE(SUM(e.amount_minor), 0) <> f.booked_minor + f.commitment_booked_minor LIMIT 1",
    ),
];

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = BigInt)]
    facility_id: i64,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    closed_with: i64,
    #[diesel(sql_type = BigInt)]
    rate_e8: i64,
    #[diesel(sql_type = Text)]
    total_scaled: String,
    #[diesel(sql_type = BigInt)]
    total_booked_minor: i64,
    #[diesel(sql_type = Text)]
    corrected_scaled: String,
    #[diesel(sql_type = BigInt)]
    undrawn: i64,
    #[diesel(sql_type = BigInt)]
    commitment_e8: i64,
    #[diesel(sql_type = Text)]
    commitment_scaled: String,
    #[diesel(sql_type = BigInt)]
    base: i64,
}

/// Every accrued day with the balance that the entries of the loan give for its close.
const DAYS: &str = "WITH moved AS (
        SELECT a.owner_id AS facility_id, p.ledger_date AS day, SUM(-e.amount_minor) AS minor
        FROM entry e JOIN account a ON a.id = e.account_id JOIN posting p ON p.id = e.posting_id
        WHERE a.code = 'bank.loan' GROUP BY a.owner_id, p.ledger_date)
    SELECT f.facility_id AS facility_id, f.day AS day, f.rate_e8 AS rate_e8, f.total_scaled AS total_scaled,
        f.total_booked_minor AS total_booked_minor, f.corrected_scaled AS corrected_scaled, f.undrawn_minor AS undrawn,
        f.commitment_rate_e8 AS commitment_e8, f.commitment_scaled AS commitment_scaled,
        CAST(COALESCE((SELECT SUM(m.minor) FROM moved m WHERE m.facility_id = f.facility_id AND m.day <= f.day), 0) AS BIGINT) AS closed_with,
        CAST(CASE l.day_count WHEN 'ACT/360' THEN 360 ELSE 365 END AS BIGINT) AS base
    FROM facility_accrual f JOIN facility l ON l.id = f.facility_id ORDER BY f.facility_id, f.day";

/// `Ok(Err(fault))` is the first rule that a row breaks.
pub fn verify_settlement(db: &mut Db) -> Result<Result<usize, SaleFault>, DbError> {
    if let Some(fault) = first_wrong(db, RULES)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong_incentive(db)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong(db, cash_movements::RULES)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong(db, memo::RULES)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong_cycle(db)? {
        return Ok(Err(fault));
    }
    if let Some((rule, row)) = first_wrong_approval(db)?.or(first_wrong_credit(db)?) {
        return Ok(Err(SaleFault { rule, row }));
    }
    if let Some(day) = first_wrong_day(db)? {
        return Ok(Err(SaleFault { rule: INTEREST, row: day.to_string() }));
    }
    if let Some((rule, row)) = first_wrong_line(db).map_err(corrupt)? {
        return Ok(Err(SaleFault { rule, row }));
    }
    Ok(Ok(SETTLEMENT_RULES))
}

fn corrupt(error: FacilityError) -> DbError {
    match error {
        FacilityError::Db(error) => error,
        other => DbError::Corrupt(other.to_string()),
    }
}

/// Every accrued day is the day after the last one, and its sums are the last ones and its own.
fn first_wrong_day(db: &mut Db) -> Result<Option<NaiveDate>, DbError> {
    let days: Vec<Day> = sql_query(DAYS).load(db)?;
    let (mut facility, mut total, mut fee, mut next): (i64, i128, i128, Option<NaiveDate>) = (0, 0, 0, None);
    for day in days {
        if day.facility_id != facility {
            (facility, total, fee, next) = (day.facility_id, 0, 0, None);
        }
        total = total.saturating_add(i128::from(day.closed_with).saturating_mul(i128::from(day.rate_e8)));
        fee = fee.saturating_add(i128::from(day.undrawn).saturating_mul(i128::from(day.commitment_e8)));
        let corrected = day.corrected_scaled.parse::<i128>().ok();
        let with_corrections = corrected.map(|corrected| total.saturating_add(corrected));
        let base = 100_000_000i128.saturating_mul(i128::from(day.base));
        let booked = with_corrections.and_then(|scaled| divide_half_even(scaled, base));
        let agrees = day.total_scaled == total.to_string()
            && day.commitment_scaled == fee.to_string()
            && booked == Some(i128::from(day.total_booked_minor));
        if !agrees || next.is_some_and(|expected| expected != day.day) {
            return Ok(Some(day.day));
        }
        next = day.day.succ_opt();
    }
    Ok(None)
}
