-- What airlines change about flights that are sold already.
CREATE TABLE schedule_change (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    carrier TEXT NOT NULL,
    flight_number INTEGER NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    flight_date TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('retimed', 'cancelled', 'replaced')),
    new_flight_number INTEGER,
    new_aircraft TEXT,
    new_departing_at TEXT,
    new_arriving_at TEXT,
    new_duration_minutes INTEGER CHECK (new_duration_minutes > 0),
    reason TEXT NOT NULL,
    order_count INTEGER NOT NULL CHECK (order_count >= 0),
    actor_organisation_id INTEGER NOT NULL,
    actor_key_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CHECK ((kind = 'cancelled') = (new_departing_at IS NULL)),
    CHECK ((new_departing_at IS NULL) = (new_flight_number IS NULL) AND (new_departing_at IS NULL) = (new_arriving_at IS NULL))
) STRICT;
CREATE INDEX schedule_change_day ON schedule_change (flight_date);

-- The last change of the departure that the bucket's seats are on: a sale that was priced before it is refused.
ALTER TABLE seat_bucket ADD COLUMN schedule_change_id INTEGER NOT NULL DEFAULT 0;

-- What a change means to one order, and what its agent answered.
CREATE TABLE airline_change (
    id INTEGER NOT NULL PRIMARY KEY,
    schedule_change_id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    action_taken TEXT CHECK (action_taken IN ('accepted', 'cancelled', 'changed')),
    action_taken_at TEXT,
    superseded_by INTEGER,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (schedule_change_id, order_id),
    CHECK ((action_taken IS NULL) = (action_taken_at IS NULL))
) STRICT;
CREATE INDEX airline_change_order ON airline_change (order_id);
CREATE INDEX airline_change_agency ON airline_change (agency_id, id);

-- The coupons of a change as they were before it, and where they sit since it was accepted.
CREATE TABLE airline_change_segment (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_change_id INTEGER NOT NULL,
    coupon_id INTEGER NOT NULL,
    flight_number INTEGER NOT NULL,
    aircraft TEXT NOT NULL,
    departing_at TEXT NOT NULL,
    arriving_at TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL,
    seat_bucket_id INTEGER NOT NULL,
    new_seat_bucket_id INTEGER,
    UNIQUE (airline_change_id, coupon_id)
) STRICT;
CREATE INDEX airline_change_segment_coupon ON airline_change_segment (coupon_id);
