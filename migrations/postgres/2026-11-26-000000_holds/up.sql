-- An order may be held before it is paid: until it is issued nothing says what paid for it, on which contract, in which cycle.
ALTER TABLE air_order ALTER COLUMN contract_id DROP NOT NULL, ALTER COLUMN tender DROP NOT NULL, ALTER COLUMN cycle DROP NOT NULL;
ALTER TABLE air_order ADD COLUMN issued_at TIMESTAMP;
UPDATE air_order SET issued_at = created_at;
ALTER TABLE air_order ADD CONSTRAINT air_order_issued_check CHECK ((contract_id IS NULL) = (issued_at IS NULL)
    AND (tender IS NULL) = (issued_at IS NULL) AND (cycle IS NULL) = (issued_at IS NULL));

-- What an order, whose id it has, was held as: its priced offer as JSON, and until when. It ends paid, cancelled or expired, once.
CREATE TABLE held_order (
    id BIGINT NOT NULL PRIMARY KEY,
    offer TEXT NOT NULL,
    payment_required_by TIMESTAMP NOT NULL,
    price_guaranteed_until TIMESTAMP,
    state TEXT NOT NULL CHECK (state IN ('held', 'paid', 'cancelled', 'expired')),
    ended_at TIMESTAMP,
    CHECK ((ended_at IS NULL) = (state = 'held'))
);
CREATE INDEX held_order_due ON held_order (payment_required_by) WHERE state = 'held';

-- Seats that a held order has in a bucket: given back when it ends unpaid, the coupons' when it is paid.
CREATE TABLE held_seat (
    order_id BIGINT NOT NULL,
    seat_bucket_id BIGINT NOT NULL,
    seats BIGINT NOT NULL CHECK (seats > 0),
    PRIMARY KEY (order_id, seat_bucket_id)
);
CREATE INDEX held_seat_bucket ON held_seat (seat_bucket_id);

-- What paid a held order.
CREATE TABLE order_payment (
    id BIGINT NOT NULL PRIMARY KEY,
    order_id BIGINT NOT NULL UNIQUE,
    agency_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('arc_bsp_cash', 'balance')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX order_payment_agency ON order_payment (agency_id, id);

-- The application's role works with the new tables as with the others.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON held_order TO airsettle_app;
        GRANT SELECT, INSERT ON held_seat, order_payment TO airsettle_app;
        REVOKE UPDATE, DELETE ON held_seat, order_payment FROM airsettle_app;
    END IF;
END
$$;
