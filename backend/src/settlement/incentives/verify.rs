//! The proof of the incentives: every ticket that was counted is counted once and with its own size, every line is booked, and every period is the
//! reward of what is left of its sales.

use super::programme::all_programmes;
use super::reward::{Progress, reward};
use crate::db::schema::incentive_period;
use crate::db::{Db, DbError};
use crate::ids::Id;
use crate::money::Money;
use crate::ticketing::{SaleFault, first_wrong};
use diesel::prelude::*;

/// Rules that are queries, and the recomputation of rewards.
pub(in crate::settlement) const INCENTIVE_RULES: usize = RULES.len() + 1;

const REWARD: &str = "an incentive period has accrued the reward of what is left of its sales";

const RULES: &[(&str, &str)] = &[
    (
        "an incentive period is what its lines add up to",
        "SELECT CAST(d.id AS TEXT) AS wrong FROM incentive_period d LEFT JOIN incentive_accrual l ON l.period_id = d.id
         GROUP BY d.id, d.measured, d.accrued_minor
         HAVING COALESCE(SUM(l.measured), 0) <> d.measured OR COALESCE(SUM(l.amount_minor), 0) <> d.accrued_minor LIMIT 1",
    ),
    (
        "an incentive line is booked with its own amount, to its agency and its funder",
        "SELECT CAST(l.id AS TEXT) AS wrong FROM incentive_accrual l JOIN incentive_period d ON d.id = l.period_id
         JOIN incentive_programme g ON g.id = d.programme_id
         LEFT JOIN posting p ON p.id = l.posting_id AND p.reference_id = l.id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY l.id, l.amount_minor
         HAVING COALESCE(SUM(CASE WHEN a.code = 'agency.incentive' AND a.owner_id = d.agency_id THEN -e.amount_minor ELSE 0 END), 0) <> l.amount_minor
            OR COALESCE(SUM(CASE WHEN (g.funder = 'airline' AND a.code = 'airline.receivable' AND a.owner_id = g.airline_id)
                OR (g.funder = 'platform' AND a.code = 'platform.incentive_expense') THEN e.amount_minor ELSE 0 END), 0) <> l.amount_minor LIMIT 1",
    ),
    (
        "an incentive line counts its ticket with the ticket's own size",
        "SELECT CAST(l.id AS TEXT) AS wrong FROM incentive_accrual l JOIN incentive_period d ON d.id = l.period_id
         JOIN incentive_programme g ON g.id = d.programme_id LEFT JOIN ticket t ON t.id = l.ticket_id
         LEFT JOIN posting c ON c.id = l.caused_by_id
         LEFT JOIN refund_ticket r ON r.id = c.reference_id AND c.event = 'ticket_refund'
         WHERE t.id IS NULL OR c.id IS NULL OR COALESCE(r.ticket_id, c.reference_id) <> t.id
            OR t.agency_id <> d.agency_id OR t.airline_id <> g.airline_id OR t.currency <> d.currency
            OR l.kind NOT IN ('true_up', CASE c.event WHEN 'ticket_sale' THEN 'issue' WHEN 'ticket_void' THEN 'void' ELSE 'refund' END)
            OR l.measured <> CASE WHEN l.kind = 'true_up' THEN 0 WHEN g.measure = 'tickets' AND l.kind = 'refund' THEN l.measured
                ELSE CASE l.kind WHEN 'issue' THEN 1 ELSE -1 END
                    * CASE g.measure WHEN 'fare' THEN COALESCE(r.fare_minor, t.base_minor) ELSE 1 END END LIMIT 1",
    ),
    (
        "every sale, void and refund up to where a programme has counted is counted",
        "SELECT t.number AS wrong FROM incentive_cursor k JOIN incentive_programme g ON g.id = k.programme_id
         JOIN posting p ON p.id <= k.last_posting_id AND ((p.id >> 12) & 1023) = k.node
            AND p.event IN ('ticket_sale', 'ticket_void', 'ticket_refund')
         LEFT JOIN refund_ticket r ON r.id = p.reference_id AND p.event = 'ticket_refund'
         JOIN ticket t ON t.id = COALESCE(r.ticket_id, p.reference_id) AND t.airline_id = g.airline_id AND t.currency = g.currency
         JOIN posting s ON s.reference_id = t.id AND s.event = 'ticket_sale'
         JOIN air_order o ON o.id = t.order_id
         LEFT JOIN incentive_period d ON d.programme_id = g.id AND d.agency_id = t.agency_id
         LEFT JOIN incentive_accrual l ON l.period_id = d.id AND l.caused_by_id = p.id AND l.kind <> 'true_up'
         WHERE (g.agency_id IS NULL OR g.agency_id = t.agency_id) AND (g.agency_tier IS NULL OR g.agency_tier = o.agency_tier)
            AND p.ledger_date >= g.effective_from AND (g.effective_until IS NULL OR p.ledger_date <= g.effective_until)
            AND s.ledger_date >= g.effective_from AND (g.effective_until IS NULL OR s.ledger_date <= g.effective_until)
         GROUP BY g.id, p.id, t.number HAVING COUNT(l.id) <> 1 LIMIT 1",
    ),
    (
        "what agencies are owed as incentive is what was accrued and is not settled",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT agency_id, currency, SUM(accrued_minor) AS open FROM incentive_period WHERE settled_at IS NULL
            GROUP BY agency_id, currency) d ON d.agency_id = a.owner_id AND d.currency = a.currency
         WHERE a.code = 'agency.incentive' AND -a.balance_minor <> COALESCE(d.open, 0) LIMIT 1",
    ),
    (
        "what incentives have cost the platform is what it funds",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT d.currency AS currency, SUM(d.accrued_minor) AS funded FROM incentive_period d
            JOIN incentive_programme g ON g.id = d.programme_id WHERE g.funder = 'platform' GROUP BY d.currency) f ON f.currency = a.currency
         WHERE a.code = 'platform.incentive_expense' AND a.balance_minor <> COALESCE(f.funded, 0) LIMIT 1",
    ),
    (
        "a settled incentive period is booked once with what it has accrued, and claimed from an airline that funds it",
        "SELECT CAST(d.id AS TEXT) AS wrong FROM incentive_period d JOIN incentive_programme g ON g.id = d.programme_id
         LEFT JOIN posting p ON p.reference_id = d.id AND p.event = 'incentive_settled'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.amount_minor > 0
         LEFT JOIN airline_claim c ON c.incentive_period_id = d.id
         GROUP BY d.id, d.accrued_minor, d.settled_at, d.posting_id, g.funder, c.amount_minor
         HAVING COALESCE(SUM(e.amount_minor), 0) <> CASE WHEN d.settled_at IS NULL THEN 0 ELSE d.accrued_minor END
            OR COALESCE(MAX(p.id), 0) <> COALESCE(d.posting_id, 0)
            OR COALESCE(c.amount_minor, 0) <> CASE WHEN d.settled_at IS NULL OR g.funder = 'platform' THEN 0 ELSE d.accrued_minor END LIMIT 1",
    ),
];

/// The first row that breaks a rule.
pub(in crate::settlement) fn first_wrong_incentive(db: &mut Db) -> Result<Option<SaleFault>, DbError> {
    if let Some(fault) = first_wrong(db, RULES)? {
        return Ok(Some(fault));
    }
    let columns =
        (incentive_period::id, incentive_period::programme_id, incentive_period::measured, incentive_period::accrued_minor);
    for programme in all_programmes(db)? {
        let of =
            incentive_period::table.filter(incentive_period::programme_id.eq(programme.id.raw())).order(incentive_period::id);
        let periods: Vec<(i64, i64, i64, i64)> = of.select(columns).load(db)?;
        for (id, _, measured, accrued) in periods {
            let accrued = Money::new(accrued, programme.currency);
            if reward(&programme.tiers, programme.method, &Progress { measured, accrued }).ok() != Some(accrued) {
                return Ok(Some(SaleFault { rule: REWARD, row: id.to_string() }));
            }
        }
    }
    Ok(None)
}
