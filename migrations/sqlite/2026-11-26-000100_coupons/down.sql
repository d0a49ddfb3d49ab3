-- Only a database without tickets of more than four coupons goes back: their rows stop the change.
DROP TABLE coupon_event;
DROP TABLE coupon_status_line;
DROP TABLE coupon_status_file;
DROP TABLE ticket_document;
CREATE TABLE coupon_1 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4),
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
INSERT INTO coupon_1 SELECT id, ticket_id, number, slice, carrier, flight_number, aircraft, origin, destination, departing_at, arriving_at, duration_minutes,
    distance_km, booking_class, cabin, fare_brand, fare_basis, base_minor, checked_bag_kg, seat_bucket_id, seats, status FROM coupon;
DROP TABLE coupon;
ALTER TABLE coupon_1 RENAME TO coupon;
CREATE INDEX coupon_ticket ON coupon (ticket_id);
