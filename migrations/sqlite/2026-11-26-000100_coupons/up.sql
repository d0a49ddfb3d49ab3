-- What happens to coupons after the sale, and tickets of more than four of them.

-- A ticket has up to four consecutive numbers of four coupons each; its coupons are counted through.
CREATE TABLE coupon_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 16),
    slice INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    flight_number INTEGER NOT NULL,
    aircraft TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    departing_at TEXT NOT NULL,
    arriving_at TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL,
    distance_km INTEGER NOT NULL,
    booking_class TEXT NOT NULL,
    cabin TEXT NOT NULL,
    fare_brand TEXT NOT NULL,
    fare_basis TEXT NOT NULL,
    base_minor INTEGER NOT NULL,
    checked_bag_kg INTEGER NOT NULL,
    seat_bucket_id INTEGER NOT NULL,
    seats INTEGER NOT NULL,
    status TEXT NOT NULL
) STRICT;
INSERT INTO coupon_2 SELECT id, ticket_id, number, slice, carrier, flight_number, aircraft, origin, destination, departing_at, arriving_at, duration_minutes,
    distance_km, booking_class, cabin, fare_brand, fare_basis, base_minor, checked_bag_kg, seat_bucket_id, seats, status FROM coupon;
DROP TABLE coupon;
ALTER TABLE coupon_2 RENAME TO coupon;
CREATE INDEX coupon_ticket ON coupon (ticket_id);

-- The numbers of a ticket behind its first one.
CREATE TABLE ticket_document (
    ticket_id INTEGER NOT NULL,
    document INTEGER NOT NULL CHECK (document BETWEEN 2 AND 4),
    number TEXT NOT NULL UNIQUE,
    PRIMARY KEY (ticket_id, document)
) STRICT;

-- A file of coupon statuses: the same content of the same organisation is one file, whoever sends it again.
CREATE TABLE coupon_status_file (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    sha256 TEXT NOT NULL,
    line_count INTEGER NOT NULL CHECK (line_count > 0),
    done_count INTEGER NOT NULL CHECK (done_count BETWEEN 0 AND line_count),
    applied_count INTEGER NOT NULL CHECK (applied_count >= 0),
    already_count INTEGER NOT NULL CHECK (already_count >= 0),
    rejected_count INTEGER NOT NULL CHECK (rejected_count >= 0),
    created_at TEXT NOT NULL,
    finished_at TEXT,
    UNIQUE (organisation_id, sha256),
    CHECK (applied_count + already_count + rejected_count = done_count)
) STRICT;

-- What became of each line; code says why one was rejected.
CREATE TABLE coupon_status_line (
    id INTEGER NOT NULL PRIMARY KEY,
    file_id INTEGER NOT NULL,
    line INTEGER NOT NULL CHECK (line > 1),
    ticket_number TEXT NOT NULL,
    coupon INTEGER NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'already', 'rejected')),
    code TEXT,
    UNIQUE (file_id, line),
    CHECK ((outcome = 'rejected') = (code IS NOT NULL))
) STRICT;

-- Every change of a coupon's status after it was issued. happened_at is what the airline says, created_at when it was booked here.
CREATE TABLE coupon_event (
    id INTEGER NOT NULL PRIMARY KEY,
    coupon_id INTEGER NOT NULL,
    ticket_id INTEGER NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('platform', 'airline', 'operator', 'file')),
    file_id INTEGER,
    actor_organisation_id INTEGER NOT NULL,
    actor_key_id INTEGER NOT NULL,
    happened_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CHECK (from_status <> to_status),
    CHECK ((source = 'file') = (file_id IS NOT NULL))
) STRICT;
CREATE INDEX coupon_event_ticket ON coupon_event (ticket_id, id);
