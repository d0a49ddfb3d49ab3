//! The proof of the sales: every ticket has its posting, its coupons, its advance and its message, and every counter is the sum of what it counts.
//! Each rule is a query that finds rows which break it; the first one found is named.

use super::vat::first_wrong_vat;
use super::verify_commission::first_wrong_commission;
use crate::db::{Db, DbError};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaleProof {
    pub rules: usize,
    pub tickets: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {row}")]
pub struct SaleFault {
    pub rule: &'static str,
    /// The wrong row, as its own number or code.
    pub row: String,
}

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = Text)]
    wrong: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const RULES: &[(&str, &str)] = &[
    (
        "a ticket has exactly one sale posting, whose legs sum to its price",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN posting p ON p.reference_id = t.id AND p.event = 'ticket_sale'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.amount_minor > 0
         WHERE NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
         GROUP BY t.id, t.number, t.price_minor HAVING COALESCE(SUM(e.amount_minor), 0) <> t.price_minor LIMIT 1",
    ),
    (
        "a ticket's airline share, commission and fee are what its sale booked",
        "SELECT t.number AS wrong FROM ticket t JOIN posting p ON p.reference_id = t.id AND p.event = 'ticket_sale'
         JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count JOIN account a ON a.id = e.account_id
         GROUP BY t.id, t.number, t.airline_minor, t.commission_minor, t.fee_minor, t.authority_minor
         HAVING SUM(CASE WHEN a.code = 'airline.payable' AND a.owner_id = t.airline_id THEN e.amount_minor ELSE 0 END) <> -t.airline_minor
            OR SUM(CASE WHEN a.code = 'agency.commission' AND a.owner_id = t.agency_id AND e.amount_minor < 0
                THEN e.amount_minor ELSE 0 END) <> -t.commission_minor
            OR SUM(CASE WHEN a.code IN ('platform.fee_income', 'platform.vat_payable') THEN e.amount_minor ELSE 0 END) <> -t.fee_minor
            OR SUM(CASE WHEN a.code = 'authority.tax' THEN e.amount_minor ELSE 0 END) <> -t.authority_minor LIMIT 1",
    ),
    (
        "a ticket sold on credit is paid by a bank line, or with own money on its airline's terms; one from the wallet is not",
        "SELECT t.number AS wrong FROM ticket t JOIN air_order o ON o.id = t.order_id JOIN advance a ON a.ticket_id = t.id
         JOIN contract c ON c.id = t.contract_id
         WHERE (o.tender = 'wallet') <> (a.funding = 'client') OR (a.funding = 'line') <> (a.facility_id IS NOT NULL)
            OR (a.funding = 'own' AND c.airline_payment = 'instant' AND a.set_off_minor <> a.amount_minor) LIMIT 1",
    ),
    (
        "a pending hold belongs to exactly one advance",
        "SELECT CAST(h.id AS TEXT) AS wrong FROM hold h LEFT JOIN advance a ON a.hold_id = h.id
         WHERE h.state = 'pending' GROUP BY h.id HAVING COUNT(a.id) <> 1 LIMIT 1",
    ),
    (
        "a bank receipt is booked with its own amount",
        "SELECT r.bank_reference AS wrong FROM bank_receipt r LEFT JOIN posting p ON p.id = r.posting_id AND p.reference_id = r.id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.amount_minor > 0
         GROUP BY r.id, r.bank_reference, r.amount_minor, r.commission_minor
         HAVING COALESCE(SUM(e.amount_minor), 0) <> r.amount_minor + r.commission_minor LIMIT 1",
    ),
    (
        "a sale posting has a ticket",
        "SELECT CAST(p.id AS TEXT) AS wrong FROM posting p LEFT JOIN ticket t ON t.id = p.reference_id
         WHERE p.event = 'ticket_sale' AND t.id IS NULL LIMIT 1",
    ),
    (
        "an order is the sum of its tickets, and one that is not issued has none",
        "SELECT o.booking_reference AS wrong FROM air_order o LEFT JOIN ticket t ON t.order_id = o.id
         LEFT JOIN ticket_exchange x ON x.ticket_id = t.id LEFT JOIN order_change c ON c.id = x.order_change_id
         GROUP BY o.id, o.booking_reference, o.total_minor, o.issued_at
         HAVING (o.issued_at IS NULL AND COUNT(t.id) > 0)
            OR (o.issued_at IS NOT NULL AND o.total_minor <>
                COALESCE(SUM(CASE WHEN c.voided_at IS NULL THEN t.price_minor - COALESCE(x.given_in_minor, 0) ELSE 0 END), 0)) LIMIT 1",
    ),
    (
        "a ticket has one to sixteen coupons, whose shares add up to its fare",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN coupon c ON c.ticket_id = t.id
         GROUP BY t.id, t.number, t.base_minor
         HAVING COALESCE(SUM(c.base_minor), 0) <> t.base_minor OR COUNT(c.id) NOT BETWEEN 1 AND 16 LIMIT 1",
    ),
    (
        "a ticket has a number for every four of its coupons, and its numbers follow each other",
        "SELECT t.number AS wrong FROM ticket t
         LEFT JOIN (SELECT ticket_id, COUNT(*) AS coupons, MAX(number) AS last FROM coupon GROUP BY ticket_id) c ON c.ticket_id = t.id
         LEFT JOIN (SELECT ticket_id, COUNT(*) AS behind, MAX(number) AS last FROM ticket_document GROUP BY ticket_id) d
            ON d.ticket_id = t.id
         WHERE COALESCE(d.behind, 0) <> (COALESCE(c.coupons, 0) + 3) / 4 - 1 OR c.last <> c.coupons
            OR CAST(COALESCE(d.last, t.number) AS BIGINT) <> CAST(t.number AS BIGINT) + COALESCE(d.behind, 0)
         UNION ALL SELECT t.number FROM ticket t JOIN ticket_document d ON d.ticket_id = t.id
         WHERE CAST(d.number AS BIGINT) <> CAST(t.number AS BIGINT) + d.document - 1
         UNION ALL SELECT t.number FROM ticket t JOIN ticket_document d ON d.number = t.number
         UNION ALL SELECT t.number FROM ticket t JOIN coupon c ON c.ticket_id = t.id
         GROUP BY t.id, t.number, c.number HAVING COUNT(*) > 1 LIMIT 1",
    ),
    (
        "a ticket's taxes add up",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN ticket_tax x ON x.ticket_id = t.id
         GROUP BY t.id, t.number, t.tax_minor HAVING COALESCE(SUM(x.minor), 0) <> t.tax_minor LIMIT 1",
    ),
    (
        "a ticket has one advance of its airline share and exchange penalty, or none where both are zero",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN advance a ON a.ticket_id = t.id
         LEFT JOIN ticket_exchange x ON x.ticket_id = t.id
         GROUP BY t.id, t.number, t.airline_minor, x.penalty_minor
         HAVING COALESCE(SUM(a.amount_minor), 0) <> t.airline_minor + COALESCE(x.penalty_minor, 0) OR COUNT(a.id) > 1 LIMIT 1",
    ),
    (
        "an exchange is booked as the new ticket and the penalty less what was given in",
        "SELECT t.number AS wrong FROM ticket_exchange x JOIN ticket t ON t.id = x.ticket_id JOIN air_order o ON o.id = t.order_id
         LEFT JOIN posting p ON p.reference_id = t.id AND p.event = 'ticket_exchange'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY t.id, t.number, t.price_minor, t.airline_minor, t.authority_minor, t.commission_minor, t.fee_minor, o.tender,
            x.penalty_minor, x.given_in_minor, x.airline_minor, x.authority_minor, x.commission_minor, x.fee_minor
         HAVING COALESCE(SUM(CASE WHEN a.code IN ('airline.payable', 'airline.receivable') THEN e.amount_minor ELSE 0 END), 0)
                <> x.airline_minor - t.airline_minor - x.penalty_minor
            OR SUM(CASE WHEN a.code = 'authority.tax' THEN e.amount_minor ELSE 0 END) <> x.authority_minor - t.authority_minor
            OR SUM(CASE WHEN a.code IN ('platform.fee_income', 'platform.vat_payable') THEN e.amount_minor ELSE 0 END) <> x.fee_minor - t.fee_minor
            OR SUM(CASE WHEN a.code = 'agency.commission' THEN e.amount_minor ELSE 0 END)
                <> CASE o.tender WHEN 'credit' THEN x.commission_minor - t.commission_minor ELSE 0 END
            OR SUM(CASE WHEN a.code IN ('agency.receivable', 'agency.wallet') THEN e.amount_minor ELSE 0 END)
                <> t.price_minor + x.penalty_minor - x.given_in_minor
                    - CASE o.tender WHEN 'credit' THEN 0 ELSE t.commission_minor - x.commission_minor END LIMIT 1",
    ),
    (
        "a change that was taken back has one void posting for each of its tickets, which is the inverse of the exchange, and no other has one",
        "SELECT t.number AS wrong FROM ticket_exchange x JOIN ticket t ON t.id = x.ticket_id
         JOIN order_change c ON c.id = x.order_change_id
         LEFT JOIN posting p ON p.reference_id = t.id AND p.event = 'exchange_void'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY t.id, t.number, t.airline_minor, t.fee_minor, c.voided_at, x.penalty_minor, x.airline_minor, x.fee_minor
         HAVING (c.voided_at IS NULL) <> (COUNT(e.id) = 0) OR (c.voided_at IS NOT NULL AND (
            SUM(CASE WHEN a.code IN ('airline.payable', 'airline.receivable') THEN e.amount_minor ELSE 0 END)
                <> t.airline_minor + x.penalty_minor - x.airline_minor
            OR SUM(CASE WHEN a.code IN ('platform.fee_income', 'platform.vat_payable') THEN e.amount_minor ELSE 0 END) <> t.fee_minor - x.fee_minor)) LIMIT 1",
    ),
    (
        "a coupon is exchanged where its ticket was given in for one that was not taken back",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN coupon k ON k.ticket_id = t.id AND k.status = 'E'
         LEFT JOIN (SELECT DISTINCT x.given_in_ticket_id AS id FROM ticket_exchange x
            JOIN order_change c ON c.id = x.order_change_id AND c.voided_at IS NULL) g ON g.id = t.id
         WHERE (k.id IS NULL) <> (g.id IS NULL) LIMIT 1",
    ),
    (
        "a ticket of a cancelled order has exactly one void posting, which is the inverse of its sale, and no other has one",
        "SELECT t.number AS wrong FROM ticket t JOIN air_order o ON o.id = t.order_id
         LEFT JOIN posting p ON p.reference_id = t.id AND p.event = 'ticket_void'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         WHERE NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
         GROUP BY t.id, t.number, t.airline_minor, t.commission_minor, t.fee_minor, t.authority_minor, t.price_minor, o.tender,
            o.cancelled_at
         HAVING (o.cancelled_at IS NULL) <> (COUNT(e.id) = 0) OR (o.cancelled_at IS NOT NULL AND (
            SUM(CASE WHEN a.code IN ('airline.payable', 'airline.receivable') THEN e.amount_minor ELSE 0 END) <> t.airline_minor
            OR SUM(CASE WHEN a.code = 'authority.tax' THEN e.amount_minor ELSE 0 END) <> t.authority_minor
            OR SUM(CASE WHEN a.code IN ('platform.fee_income', 'platform.vat_payable') THEN e.amount_minor ELSE 0 END) <> t.fee_minor
            OR SUM(CASE WHEN a.code = 'agency.commission' THEN e.amount_minor ELSE 0 END)
                <> CASE o.tender WHEN 'credit' THEN t.commission_minor ELSE 0 END
            OR SUM(CASE WHEN a.code IN ('agency.receivable', 'agency.wallet') THEN e.amount_minor ELSE 0 END)
                <> CASE o.tender WHEN 'credit' THEN -t.price_minor ELSE t.commission_minor - t.price_minor END)) LIMIT 1",
    ),
    (
        "the coupons of a cancelled order are void, and no others",
        "SELECT t.number AS wrong FROM coupon c JOIN ticket t ON t.id = c.ticket_id JOIN air_order o ON o.id = t.order_id
         LEFT JOIN ticket_exchange x ON x.ticket_id = t.id LEFT JOIN order_change h ON h.id = x.order_change_id
         WHERE (c.status = 'V') <> (o.cancelled_at IS NOT NULL OR h.voided_at IS NOT NULL) LIMIT 1",
    ),
    (
        "an order is cancelled by exactly one confirmed cancellation, or because its payment was not there in time",
        "SELECT o.booking_reference AS wrong FROM air_order o LEFT JOIN held_order h ON h.id = o.id AND h.state = 'expired'
         LEFT JOIN order_cancellation c ON c.order_id = o.id AND c.confirmed_at IS NOT NULL
            AND c.application_id IS NULL
         GROUP BY o.id, o.booking_reference, o.cancelled_at, h.id
         HAVING COUNT(c.id) + CASE WHEN h.id IS NULL THEN 0 ELSE 1 END <> CASE WHEN o.cancelled_at IS NULL THEN 0 ELSE 1 END LIMIT 1",
    ),
    (
        "an order that is not issued is held, or ended unpaid and is cancelled",
        "SELECT o.booking_reference AS wrong FROM air_order o LEFT JOIN held_order h ON h.id = o.id
         WHERE COALESCE(h.state, 'paid') <> CASE WHEN o.issued_at IS NOT NULL THEN 'paid' WHEN o.cancelled_at IS NULL THEN 'held'
            WHEN h.state = 'expired' THEN 'expired' ELSE 'cancelled' END LIMIT 1",
    ),
    (
        "a held order that was paid has one payment of what its first tickets cost, and no other order has one",
        "SELECT o.booking_reference AS wrong FROM air_order o LEFT JOIN held_order h ON h.id = o.id
         LEFT JOIN order_payment p ON p.order_id = o.id
         LEFT JOIN ticket t ON t.order_id = o.id AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
         GROUP BY o.id, o.booking_reference, o.currency, h.state, p.id, p.amount_minor, p.currency
         HAVING (COALESCE(h.state, '') = 'paid') <> (p.id IS NOT NULL)
            OR (p.id IS NOT NULL AND (p.amount_minor <> COALESCE(SUM(t.price_minor), 0) OR p.currency <> o.currency)) LIMIT 1",
    ),
    (
        "what airlines have to give back is open claims, what was taken back on its way, and incentives that are not settled",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT airline_id, currency, SUM(amount_minor - settled_minor) AS open FROM airline_claim
            GROUP BY airline_id, currency) c ON c.airline_id = a.owner_id AND c.currency = a.currency
         LEFT JOIN (SELECT airline_id, currency, SUM(reclaimed_minor) AS reclaimed FROM advance WHERE resolved_at IS NULL
            GROUP BY airline_id, currency) v ON v.airline_id = a.owner_id AND v.currency = a.currency
         LEFT JOIN (SELECT g.airline_id AS airline_id, d.currency AS currency, SUM(d.accrued_minor) AS accrued FROM incentive_period d
            JOIN incentive_programme g ON g.id = d.programme_id WHERE g.funder = 'airline' AND d.settled_at IS NULL
            GROUP BY g.airline_id, d.currency) i ON i.airline_id = a.owner_id AND i.currency = a.currency
         WHERE a.code = 'airline.receivable'
            AND a.balance_minor <> COALESCE(c.open, 0) + COALESCE(v.reclaimed, 0) + COALESCE(i.accrued, 0) LIMIT 1",
    ),
    (
        "what is owed to airlines is what advances have still to pay, and what memos claimed for them",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT airline_id, currency, SUM(amount_minor - set_off_minor - cancelled_minor) AS due FROM advance
            WHERE resolved_at IS NULL GROUP BY airline_id, currency) v ON v.airline_id = a.owner_id AND v.currency = a.currency
         LEFT JOIN (SELECT airline_id, currency, SUM(decided_minor - paid_minor) AS due FROM memo
            WHERE kind = 'adm' AND status = 'posted' GROUP BY airline_id, currency) m ON m.airline_id = a.owner_id AND m.currency = a.currency
         WHERE a.code = 'airline.payable' AND -a.balance_minor <> COALESCE(v.due, 0) + COALESCE(m.due, 0) LIMIT 1",
    ),
    (
        "what is taken back of an airline's share is cancelled, on its way or claimed, and never more than the share without its claim",
        "SELECT t.number AS wrong FROM ticket t
         LEFT JOIN (SELECT ticket_id, SUM(amount_minor) AS taken, SUM(amount_minor - beyond_minor) AS within,
                SUM(CASE WHEN resolved_at IS NULL THEN on_its_way_minor ELSE 0 END) AS on_its_way
            FROM airline_take_back GROUP BY ticket_id) b ON b.ticket_id = t.id
         LEFT JOIN (SELECT ticket_id, SUM(amount_minor) AS claimed FROM airline_claim GROUP BY ticket_id) c ON c.ticket_id = t.id
         LEFT JOIN advance a ON a.ticket_id = t.id
         LEFT JOIN ticket_exchange x ON x.ticket_id = t.id
         WHERE COALESCE(b.taken, 0) <> COALESCE(a.cancelled_minor, 0) + COALESCE(a.reclaimed_minor, 0) + COALESCE(c.claimed, 0)
            OR COALESCE(b.on_its_way, 0) <> COALESCE(a.reclaimed_minor, 0) OR COALESCE(b.within, 0) > t.airline_minor + COALESCE(x.penalty_minor, 0) LIMIT 1",
    ),
    (
        "what a void or refund takes back of an airline's share is booked with its own amounts",
        "SELECT CAST(p.id AS TEXT) AS wrong FROM posting p JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count
         JOIN account a ON a.id = e.account_id
         LEFT JOIN airline_take_back b ON b.reference_id = p.reference_id
         WHERE p.event IN ('ticket_void', 'ticket_refund') AND a.code IN ('airline.payable', 'airline.receivable')
         GROUP BY p.id, b.id, b.amount_minor, b.unpaid_minor
         HAVING SUM(CASE WHEN a.code = 'airline.payable' THEN e.amount_minor ELSE 0 END) <> COALESCE(b.unpaid_minor, -1)
            OR SUM(e.amount_minor) <> b.amount_minor LIMIT 1",
    ),
    (
        "a claim is settled by what its settlements add up to, and an advance set off by the same",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM airline_claim c LEFT JOIN claim_settlement s ON s.claim_id = c.id
         GROUP BY c.id, c.settled_minor HAVING COALESCE(SUM(s.amount_minor), 0) <> c.settled_minor
         UNION ALL SELECT CAST(a.id AS TEXT) FROM advance a LEFT JOIN claim_settlement s ON s.advance_id = a.id
         GROUP BY a.id, a.set_off_minor HAVING COALESCE(SUM(s.amount_minor), 0) <> a.set_off_minor LIMIT 1",
    ),
    (
        "a settlement of a claim is booked with its own amount",
        "SELECT CAST(s.id AS TEXT) AS wrong FROM claim_settlement s LEFT JOIN posting p ON p.id = s.posting_id
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count AND e.amount_minor > 0
         WHERE s.advance_id IS NOT NULL GROUP BY s.id, s.amount_minor HAVING COALESCE(SUM(e.amount_minor), 0) <> s.amount_minor LIMIT 1",
    ),
    (
        "an advance is booked as confirmed once, when it is",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM advance a
         LEFT JOIN posting p ON p.reference_id = a.ticket_id AND p.event = 'advance_confirmed'
         WHERE (a.state = 'confirmed') <> (p.id IS NOT NULL) LIMIT 1",
    ),
    (
        "a hold is pending as long as its advance is not resolved, and holds what is still to be paid",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM advance a LEFT JOIN hold h ON h.id = a.hold_id
         WHERE a.facility_id IS NOT NULL AND (h.id IS NULL
            OR h.amount_minor - h.released_minor <> a.amount_minor - a.set_off_minor - a.cancelled_minor
            OR h.state <> CASE a.state WHEN 'confirmed' THEN 'posted' WHEN 'set_off' THEN 'voided' WHEN 'cancelled' THEN 'voided' ELSE 'pending' END) LIMIT 1",
    ),
    (
        "an advance that was ordered and is not resolved has a message waiting",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM advance a
         LEFT JOIN outbox o ON o.subject_id = a.id AND o.kind = 'pay_advance' AND o.done_at IS NULL
         WHERE a.ordered_at IS NOT NULL AND a.resolved_at IS NULL AND o.id IS NULL LIMIT 1",
    ),
    (
        "an advance leaves once it was ordered, and only on its airline's terms that is later than the sale",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM advance a JOIN ticket t ON t.id = a.ticket_id JOIN contract c ON c.id = t.contract_id
         WHERE (a.ordered_at IS NULL AND (a.state NOT IN ('held', 'cancelled') OR c.airline_payment = 'instant'))
            OR (a.ordered_at > a.sold_at AND c.airline_payment = 'instant') LIMIT 1",
    ),
    (
        "a facility's loan is what its advances drew less the principal repaid",
        "SELECT f.name AS wrong FROM facility f
         JOIN account l ON l.owner_id = f.id AND l.code = 'bank.loan'
         LEFT JOIN (SELECT facility_id, SUM(amount_minor - set_off_minor - cancelled_minor) AS drawn FROM advance
            WHERE state = 'confirmed' GROUP BY facility_id) a ON a.facility_id = f.id
         LEFT JOIN (SELECT facility_id, SUM(principal_minor) AS repaid FROM bank_payment GROUP BY facility_id) b ON b.facility_id = f.id
         WHERE COALESCE(a.drawn, 0) - COALESCE(b.repaid, 0) <> -l.balance_minor LIMIT 1",
    ),
    (
        "a facility slice counts the advances in flight",
        "SELECT CAST(s.id AS TEXT) AS wrong FROM facility_slice s
         LEFT JOIN advance a ON a.facility_id = s.facility_id AND a.resolved_at IS NULL
         GROUP BY s.id, s.unconfirmed HAVING COUNT(a.id) <> s.unconfirmed LIMIT 1",
    ),
    (
        "seats sold are the coupons that take a seat and the seats that are held",
        "SELECT CAST(b.id AS TEXT) AS wrong FROM seat_bucket b
         LEFT JOIN (SELECT seat_bucket_id, SUM(seats) AS seats FROM coupon WHERE status NOT IN ('V', 'R', 'Y', 'E') GROUP BY seat_bucket_id) c
            ON c.seat_bucket_id = b.id
         LEFT JOIN (SELECT s.seat_bucket_id, SUM(s.seats) AS seats FROM held_seat s JOIN held_order h ON h.id = s.order_id
            WHERE h.state = 'held' GROUP BY s.seat_bucket_id) k ON k.seat_bucket_id = b.id
         WHERE COALESCE(c.seats, 0) + COALESCE(k.seats, 0) <> b.sold LIMIT 1",
    ),
    (
        "a coupon sits where the last change that was accepted has put it",
        "SELECT CAST(c.id AS TEXT) AS wrong FROM coupon c JOIN airline_change_segment s ON s.coupon_id = c.id
         WHERE s.new_seat_bucket_id <> c.seat_bucket_id AND s.id = (SELECT MAX(l.id) FROM airline_change_segment l
            WHERE l.coupon_id = c.id AND l.new_seat_bucket_id IS NOT NULL) LIMIT 1",
    ),
    (
        "an airline's change has moved all of its coupons when it was accepted, and none before",
        "SELECT CAST(a.id AS TEXT) AS wrong FROM airline_change a LEFT JOIN airline_change_segment s ON s.airline_change_id = a.id
         GROUP BY a.id, a.action_taken
         HAVING COUNT(s.id) = 0 OR COUNT(s.new_seat_bucket_id) <> CASE a.action_taken WHEN 'accepted' THEN COUNT(s.id) ELSE 0 END LIMIT 1",
    ),
    (
        "client cash covers wallets, deposits and what wallet tickets still owe airlines",
        "SELECT w.currency AS wrong FROM (
            SELECT a.currency AS currency, SUM(a.balance_minor) AS cover FROM account a
            WHERE a.code IN ('agency.wallet', 'agency.deposit', 'platform.cash_transfer') OR (a.code = 'platform.cash' AND a.detail = 'client')
            GROUP BY a.currency) w
         LEFT JOIN (SELECT v.currency AS currency, SUM(v.amount_minor - v.set_off_minor - v.cancelled_minor) AS owed FROM advance v
            WHERE v.funding = 'client' AND v.resolved_at IS NULL GROUP BY v.currency) u ON u.currency = w.currency
         WHERE w.cover < COALESCE(u.owed, 0) LIMIT 1",
    ),
    (
        "cash, wallets and deposits are never overdrawn",
        "SELECT a.code AS wrong FROM account a WHERE (a.code = 'platform.cash' AND a.balance_minor < 0)
            OR (a.code IN ('agency.wallet', 'agency.deposit', 'bank.loan') AND a.balance_minor > 0) LIMIT 1",
    ),
    (
        "a number that exists was taken from the airline's stock",
        "SELECT t.number AS wrong FROM ticket t LEFT JOIN stock_range s ON s.airline_id = t.airline_id
            AND CAST(substr(t.number, 4) AS BIGINT) >= s.first_document AND CAST(substr(t.number, 4) AS BIGINT) < s.next_document
         WHERE s.id IS NULL
         UNION ALL SELECT d.number FROM ticket_document d JOIN ticket t ON t.id = d.ticket_id LEFT JOIN stock_range s
            ON s.airline_id = t.airline_id AND CAST(substr(t.number, 4) AS BIGINT) >= s.first_document
            AND CAST(substr(d.number, 4) AS BIGINT) < s.next_document
         WHERE s.id IS NULL LIMIT 1",
    ),
    (
        "a refund is posted once with its own legs when it is accepted, and not before",
        "SELECT CAST(r.id AS TEXT) AS wrong FROM refund_ticket r JOIN refund_application f ON f.id = r.application_id
         JOIN ticket t ON t.id = r.ticket_id
         LEFT JOIN posting p ON p.reference_id = r.id AND p.event = 'ticket_refund'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         GROUP BY r.id, r.posted_at, r.cycle, r.airline_minor, r.authority_minor, r.commission_minor, r.fee_minor, f.status, f.tender,
            t.airline_id, t.agency_id
         HAVING (r.posted_at IS NULL) <> (f.status IN ('quoted', 'submitted', 'rejected')) OR (r.posted_at IS NULL AND COUNT(e.id) <> 0)
            OR (r.cycle IS NULL) <> (r.posted_at IS NULL OR f.tender = 'wallet')
            OR (r.posted_at IS NOT NULL AND (
            COALESCE(SUM(CASE WHEN a.code IN ('airline.payable', 'airline.receivable') AND a.owner_id = t.airline_id
                THEN e.amount_minor ELSE 0 END), 0) <> r.airline_minor
            OR COALESCE(SUM(CASE WHEN a.code = 'authority.tax' THEN e.amount_minor ELSE 0 END), 0) <> r.authority_minor
            OR COALESCE(SUM(CASE WHEN a.code IN ('platform.fee_income', 'platform.vat_payable') THEN e.amount_minor ELSE 0 END), 0) <> r.fee_minor
            OR COALESCE(SUM(CASE WHEN a.code = 'agency.commission' AND a.owner_id = t.agency_id AND e.amount_minor > 0
                THEN e.amount_minor ELSE 0 END), 0) <> r.commission_minor
            OR COALESCE(SUM(CASE WHEN a.code IN ('agency.receivable', 'agency.wallet', 'agency.refund_due') AND a.owner_id = t.agency_id
                THEN -e.amount_minor ELSE 0 END), 0) <> r.airline_minor + r.authority_minor + r.fee_minor
                    + CASE f.tender WHEN 'credit' THEN r.commission_minor ELSE 0 END)) LIMIT 1",
    ),
    (
        "an application is the sum of its tickets, and a ticket's refund that of its coupons and taxes",
        "SELECT CAST(f.id AS TEXT) AS wrong FROM refund_application f LEFT JOIN refund_ticket r ON r.application_id = f.id
         GROUP BY f.id, f.fare_minor, f.tax_minor, f.penalty_minor
         HAVING COALESCE(SUM(r.fare_minor), 0) <> f.fare_minor OR COALESCE(SUM(r.tax_minor), 0) <> f.tax_minor
            OR COALESCE(SUM(r.penalty_minor), 0) <> f.penalty_minor
         UNION ALL SELECT CAST(r.id AS TEXT) FROM refund_ticket r
         LEFT JOIN (SELECT refund_id, SUM(fare_minor) AS fare, SUM(tax_minor) AS tax, SUM(penalty_minor) AS penalty
            FROM refund_coupon GROUP BY refund_id) c ON c.refund_id = r.id
         LEFT JOIN (SELECT refund_id, SUM(minor) AS tax, SUM(CASE remitter WHEN 'platform' THEN minor ELSE 0 END) AS authority
            FROM refund_tax GROUP BY refund_id) x ON x.refund_id = r.id
         WHERE COALESCE(c.fare, 0) <> r.fare_minor OR COALESCE(c.tax, 0) <> r.tax_minor OR COALESCE(x.tax, 0) <> r.tax_minor
            OR COALESCE(x.authority, 0) <> r.authority_minor
            OR (c.refund_id IS NOT NULL AND c.penalty <> r.penalty_minor) OR (c.refund_id IS NULL AND r.penalty_minor >= 0) LIMIT 1",
    ),
    (
        "no leg of a ticket comes back more than once",
        "SELECT t.number AS wrong FROM ticket t
         JOIN (SELECT ticket_id, SUM(fare_minor + tax_minor - penalty_minor) AS refund, SUM(penalty_minor) AS penalty,
                SUM(authority_minor) AS authority, SUM(commission_minor) AS commission, SUM(fee_minor) AS fee
            FROM refund_ticket WHERE posted_at IS NOT NULL GROUP BY ticket_id) r ON r.ticket_id = t.id
         WHERE r.refund > t.price_minor OR r.penalty < 0 OR r.authority > t.authority_minor OR r.commission > t.commission_minor
            OR r.fee > t.fee_minor LIMIT 1",
    ),
    (
        "a coupon is refunded once, and only such a coupon has the status of one",
        "SELECT t.number AS wrong FROM coupon c JOIN ticket t ON t.id = c.ticket_id
         LEFT JOIN (SELECT k.coupon_id AS coupon_id, COUNT(k.id) AS times, MIN(f.kind) AS kind FROM refund_coupon k
            JOIN refund_ticket r ON r.id = k.refund_id AND r.posted_at IS NOT NULL JOIN refund_application f ON f.id = r.application_id
            GROUP BY k.coupon_id) k ON k.coupon_id = c.id
         WHERE k.times > 1 OR (c.status = 'R' AND (k.kind IS NULL OR k.kind = 'tax_only'))
            OR (c.status = 'Y' AND (k.kind IS NULL OR k.kind <> 'tax_only')) LIMIT 1",
    ),
    (
        "what an airline gives back for a refund is taken back of its share",
        "SELECT CAST(r.id AS TEXT) AS wrong FROM refund_ticket r LEFT JOIN airline_take_back b ON b.reference_id = r.id
         WHERE r.posted_at IS NOT NULL AND COALESCE(b.amount_minor, 0) <> r.airline_minor LIMIT 1",
    ),
    (
        "what is due to wallets is what refunds wait for, and each is paid out once",
        "SELECT a.code AS wrong FROM account a
         LEFT JOIN (SELECT f.agency_id AS agency_id, f.currency AS currency, SUM(r.airline_minor + r.authority_minor + r.fee_minor) AS due
            FROM refund_application f JOIN refund_ticket r ON r.application_id = f.id
            WHERE f.status = 'awaiting_airline_funds' GROUP BY f.agency_id, f.currency) w ON w.agency_id = a.owner_id AND w.currency = a.currency
         WHERE a.code = 'agency.refund_due' AND -a.balance_minor <> COALESCE(w.due, 0) LIMIT 1",
    ),
];

/// The first row that breaks a rule; a rule is a query for rows that do, with the column `wrong`.
pub fn first_wrong(db: &mut Db, rules: &[(&'static str, &'static str)]) -> Result<Option<SaleFault>, DbError> {
    for (rule, query) in rules {
        let wrong: Vec<Wrong> = sql_query(*query).load(db)?;
        if let Some(row) = wrong.into_iter().next() {
            return Ok(Some(SaleFault { rule, row: row.wrong }));
        }
    }
    Ok(None)
}

/// Rules that are queries, and the recomputation of commissions. `Ok(Err(fault))` is the first rule that a row breaks.
pub fn verify_sales(db: &mut Db) -> Result<Result<SaleProof, SaleFault>, DbError> {
    if let Some(fault) = first_wrong(db, RULES)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong_commission(db)? {
        return Ok(Err(fault));
    }
    if let Some(fault) = first_wrong_vat(db)? {
        return Ok(Err(fault));
    }
    let tickets: Vec<Count> = sql_query("SELECT COUNT(*) AS count FROM ticket").load(db)?;
    let tickets = tickets.first().and_then(|row| u64::try_from(row.count).ok()).unwrap_or(0);
    Ok(Ok(SaleProof { rules: RULES.len() + 2, tickets }))
}
