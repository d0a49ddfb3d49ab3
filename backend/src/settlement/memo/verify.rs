//! The proof of memos: what was decided is booked with its own amounts and by two, a ticket's value is claimed once, and airlines were paid what they were paid.

pub(in crate::settlement) const MEMO_RULES: usize = RULES.len();

pub(in crate::settlement) const RULES: &[(&str, &str)] = &[
    (
        "a memo that was upheld is booked once with its own amount between its agency and its airline, and no other is",
        "SELECT m.number AS wrong FROM memo m
         LEFT JOIN posting p ON p.reference_id = m.id AND p.event IN ('adm_posted', 'acm_posted')
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count
         LEFT JOIN account a ON a.id = e.account_id AND a.currency = m.currency
         GROUP BY m.id, m.number, m.kind, m.status, m.agency_id, m.airline_id, m.cycle, m.decided_minor, m.posting_id
         HAVING (m.status = 'posted') <> (COUNT(e.id) = 2) OR (m.status <> 'posted' AND COUNT(e.id) <> 0) OR (m.status = 'posted' AND (
            MIN(p.id) <> m.posting_id OR MIN(p.event) <> CASE m.kind WHEN 'adm' THEN 'adm_posted' ELSE 'acm_posted' END
            OR COALESCE(SUM(CASE WHEN a.code = 'agency.receivable' AND a.owner_id = m.agency_id AND e.cycle = m.cycle
                THEN e.amount_minor ELSE 0 END), 0) <> CASE m.kind WHEN 'adm' THEN m.decided_minor ELSE -m.decided_minor END
            OR COALESCE(SUM(CASE WHEN a.code = 'airline.payable' AND a.owner_id = m.airline_id THEN e.amount_minor ELSE 0 END), 0)
                <> CASE m.kind WHEN 'adm' THEN -m.decided_minor ELSE 0 END
            OR COALESCE(SUM(CASE WHEN a.code = 'airline.receivable' AND a.owner_id = m.airline_id THEN e.amount_minor ELSE 0 END), 0)
                <> CASE m.kind WHEN 'acm' THEN m.decided_minor ELSE 0 END)) LIMIT 1",
    ),
    (
        "a posting of a memo has a memo",
        "SELECT CAST(p.id AS TEXT) AS wrong FROM posting p LEFT JOIN memo m ON m.id = p.reference_id
         WHERE p.event IN ('adm_posted', 'acm_posted') AND m.id IS NULL LIMIT 1",
    ),
    (
        "a memo was decided by two",
        "SELECT m.number AS wrong FROM memo m LEFT JOIN approval p ON p.id = m.approval_id AND p.kind = 'memo_decision'
            AND p.status = 'approved' AND p.subject = m.number
         WHERE m.status IN ('posted', 'dismissed') AND p.id IS NULL LIMIT 1",
    ),
    (
        "a memo claims what it claims of its tickets, which are its airline's and its agency's",
        "SELECT m.number AS wrong FROM memo m LEFT JOIN memo_ticket k ON k.memo_id = m.id LEFT JOIN ticket t ON t.id = k.ticket_id
         GROUP BY m.id, m.number, m.claimed_minor, m.agency_id, m.airline_id, m.currency
         HAVING COALESCE(SUM(k.amount_minor), 0) <> m.claimed_minor OR COUNT(t.id) <> COUNT(k.id)
            OR SUM(CASE WHEN t.agency_id = m.agency_id AND t.airline_id = m.airline_id AND t.currency = m.currency THEN 0 ELSE 1 END) <> 0
         LIMIT 1",
    ),
    (
        "memos of a kind do not claim more of a ticket than it cost, nor for one reason twice",
        "SELECT t.number AS wrong FROM memo_ticket k JOIN memo m ON m.id = k.memo_id JOIN ticket t ON t.id = k.ticket_id
         WHERE m.status NOT IN ('dismissed', 'withdrawn') GROUP BY t.id, t.number, t.price_minor, m.kind
         HAVING SUM(k.amount_minor) > t.price_minor
         UNION ALL SELECT t.number FROM memo_ticket k JOIN memo m ON m.id = k.memo_id JOIN ticket t ON t.id = k.ticket_id
         WHERE m.status <> 'withdrawn' GROUP BY t.id, t.number, m.kind, m.reason HAVING COUNT(*) > 1 LIMIT 1",
    ),
    (
        "a memo has a step for every version of it",
        "SELECT m.number AS wrong FROM memo m LEFT JOIN memo_step s ON s.memo_id = m.id
         GROUP BY m.id, m.number, m.version HAVING COUNT(s.id) <> m.version OR MAX(s.version) <> m.version LIMIT 1",
    ),
    (
        "what an airline grants it has to give back, once",
        "SELECT m.number AS wrong FROM memo m LEFT JOIN airline_claim c ON c.memo_id = m.id
         WHERE COALESCE(c.amount_minor, 0) <> CASE WHEN m.kind = 'acm' AND m.status = 'posted' THEN m.decided_minor ELSE 0 END
            OR (c.id IS NOT NULL AND (c.airline_id <> m.airline_id OR c.currency <> m.currency)) LIMIT 1",
    ),
    (
        "what airlines were paid of memos left the bank, and is booked with its own amount",
        "SELECT CAST(r.id AS TEXT) AS wrong FROM airline r
         LEFT JOIN (SELECT airline_id, SUM(paid_minor) AS paid FROM memo GROUP BY airline_id) m ON m.airline_id = r.id
         LEFT JOIN (SELECT airline_id, SUM(amount_minor) AS went FROM bank_payment WHERE purpose = 'airline' GROUP BY airline_id) b
            ON b.airline_id = r.id
         WHERE COALESCE(m.paid, 0) <> COALESCE(b.went, 0)
         UNION ALL SELECT b.bank_reference FROM bank_payment b
         LEFT JOIN posting p ON p.id = b.posting_id AND p.reference_id = b.id AND p.event = 'airline_paid'
         LEFT JOIN entry e ON e.id > p.id AND e.id <= p.id + p.entry_count LEFT JOIN account a ON a.id = e.account_id
         WHERE b.purpose = 'airline' GROUP BY b.id, b.bank_reference, b.airline_id, b.amount_minor
         HAVING COALESCE(SUM(CASE WHEN a.code = 'airline.payable' AND a.owner_id = b.airline_id THEN e.amount_minor ELSE 0 END), 0)
            <> b.amount_minor LIMIT 1",
    ),
];
