-- A search for other flights for an order; its offers have the ids that follow its own, and are immutable.
CREATE TABLE order_change_request (
    id INTEGER NOT NULL PRIMARY KEY,
    order_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    removed TEXT NOT NULL,
    added TEXT NOT NULL,
    offer_count INTEGER NOT NULL CHECK (offer_count >= 0),
    offers TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX order_change_request_agency ON order_change_request (agency_id, id);

-- A chosen offer; from confirmed_at on an exchange of the order's tickets, and from voided_at on one that was taken back.
-- change_minor is what the agency pays for it (negative: what it gets back), the penalty included.
CREATE TABLE order_change (
    id INTEGER NOT NULL PRIMARY KEY,
    order_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    offer_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    new_total_minor INTEGER NOT NULL CHECK (new_total_minor >= 0),
    penalty_minor INTEGER NOT NULL CHECK (penalty_minor >= 0),
    change_minor INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    confirmed_at TEXT,
    voided_at TEXT
) STRICT;
CREATE INDEX order_change_order ON order_change (order_id);
CREATE INDEX order_change_agency ON order_change (agency_id, id);

-- Which ticket was given in for a new one: its price or what was left of it, by who gave back which part; and the penalty that its airline got on top
-- of the new ticket's share. The cycles are those of an order on credit: in which the new ticket is owed, and in which the old one is credited.
CREATE TABLE ticket_exchange (
    ticket_id INTEGER NOT NULL PRIMARY KEY,
    given_in_ticket_id INTEGER NOT NULL,
    order_change_id INTEGER NOT NULL REFERENCES order_change (id),
    penalty_minor INTEGER NOT NULL CHECK (penalty_minor >= 0),
    given_in_minor INTEGER NOT NULL,
    airline_minor INTEGER NOT NULL CHECK (airline_minor >= 0),
    authority_minor INTEGER NOT NULL CHECK (authority_minor >= 0),
    commission_minor INTEGER NOT NULL CHECK (commission_minor >= 0),
    fee_minor INTEGER NOT NULL CHECK (fee_minor >= 0),
    cycle TEXT,
    given_in_cycle TEXT,
    created_at TEXT NOT NULL,
    CHECK ((cycle IS NULL) = (given_in_cycle IS NULL)),
    CHECK (given_in_minor = airline_minor + authority_minor + commission_minor + fee_minor)
) STRICT;
CREATE INDEX ticket_exchange_given_in ON ticket_exchange (given_in_ticket_id);
CREATE INDEX ticket_exchange_change ON ticket_exchange (order_change_id);
