-- A part of an airline's share that a void, refund or exchange took back, once for each business event (reference_id: a ticket for its void).
-- Of amount_minor, unpaid_minor was never paid, on_its_way_minor was on its way to the airline then, beyond_minor is more than its share.
CREATE TABLE airline_take_back (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    advance_id INTEGER,
    reference_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    unpaid_minor INTEGER NOT NULL CHECK (unpaid_minor >= 0),
    on_its_way_minor INTEGER NOT NULL CHECK (on_its_way_minor >= 0),
    beyond_minor INTEGER NOT NULL CHECK (beyond_minor >= 0),
    created_at TEXT NOT NULL,
    resolved_at TEXT,
    CHECK (unpaid_minor + on_its_way_minor + beyond_minor <= amount_minor)
) STRICT;
CREATE UNIQUE INDEX airline_take_back_reference ON airline_take_back (reference_id, ticket_id);
CREATE INDEX airline_take_back_ticket ON airline_take_back (ticket_id);
CREATE INDEX airline_take_back_advance ON airline_take_back (advance_id) WHERE resolved_at IS NULL;

-- The voids that there are already; what of them was on its way is known as long as it is, or where it was dropped.
INSERT INTO airline_take_back
SELECT p.id, a.ticket_id, a.airline_id, a.id, a.ticket_id, a.currency, a.amount_minor,
    COALESCE((SELECT CAST(SUM(e.amount_minor) AS INTEGER) FROM entry e JOIN account c ON c.id = e.account_id AND c.code = 'airline.payable'
        WHERE e.id > p.id AND e.id <= p.id + p.entry_count), 0),
    a.reclaimed_minor + COALESCE((SELECT CAST(SUM(e.amount_minor) AS INTEGER) FROM posting d
        JOIN entry e ON e.id > d.id AND e.id <= d.id + d.entry_count AND e.amount_minor > 0
        WHERE d.reference_id = a.ticket_id AND d.event = 'advance_reclaim_dropped'), 0),
    0, p.booked_at, CASE WHEN a.reclaimed_minor > 0 THEN NULL ELSE COALESCE(a.resolved_at, p.booked_at) END
FROM posting p JOIN advance a ON a.ticket_id = p.reference_id WHERE p.event = 'ticket_void';
