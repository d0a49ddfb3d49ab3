-- An order may be held before it is paid: until it is issued nothing says what paid for it, on which contract, in which cycle.
CREATE TABLE air_order_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    offer_id INTEGER NOT NULL,
    contract_id INTEGER,
    booking_reference TEXT NOT NULL,
    tender TEXT CHECK (tender IN ('credit', 'wallet')),
    currency TEXT NOT NULL,
    base_minor INTEGER NOT NULL,
    tax_minor INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    cycle TEXT,
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL,
    issued_at TEXT,
    cancelled_at TEXT,
    UNIQUE (airline_id, booking_reference),
    CHECK ((contract_id IS NULL) = (issued_at IS NULL) AND (tender IS NULL) = (issued_at IS NULL) AND (cycle IS NULL) = (issued_at IS NULL))
) STRICT;
INSERT INTO air_order_2 SELECT id, organisation_id, agency_id, airline_id, offer_id, contract_id, booking_reference, tender, currency, base_minor,
    tax_minor, total_minor, cycle, metadata, created_at, created_at, cancelled_at FROM air_order;
DROP TABLE air_order;
ALTER TABLE air_order_2 RENAME TO air_order;
CREATE INDEX air_order_agency ON air_order (agency_id, id);

-- What an order, whose id it has, was held as: its priced offer as JSON, and until when. It ends paid, cancelled or expired, once.
CREATE TABLE held_order (
    id INTEGER NOT NULL PRIMARY KEY,
    offer TEXT NOT NULL,
    payment_required_by TEXT NOT NULL,
    price_guaranteed_until TEXT,
    state TEXT NOT NULL CHECK (state IN ('held', 'paid', 'cancelled', 'expired')),
    ended_at TEXT,
    CHECK ((ended_at IS NULL) = (state = 'held'))
) STRICT;
CREATE INDEX held_order_due ON held_order (payment_required_by) WHERE state = 'held';

-- Seats that a held order has in a bucket: given back when it ends unpaid, the coupons' when it is paid.
CREATE TABLE held_seat (
    order_id INTEGER NOT NULL,
    seat_bucket_id INTEGER NOT NULL,
    seats INTEGER NOT NULL CHECK (seats > 0),
    PRIMARY KEY (order_id, seat_bucket_id)
) STRICT;
CREATE INDEX held_seat_bucket ON held_seat (seat_bucket_id);

-- What paid a held order.
CREATE TABLE order_payment (
    id INTEGER NOT NULL PRIMARY KEY,
    order_id INTEGER NOT NULL UNIQUE,
    agency_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('arc_bsp_cash', 'balance')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX order_payment_agency ON order_payment (agency_id, id);
