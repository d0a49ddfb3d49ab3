-- What airlines change about flights that are sold already.
CREATE TABLE schedule_change (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    carrier TEXT NOT NULL,
    flight_number BIGINT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    flight_date DATE NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('retimed', 'cancelled', 'replaced')),
    new_flight_number BIGINT,
    new_aircraft TEXT,
    new_departing_at TIMESTAMP,
    new_arriving_at TIMESTAMP,
    new_duration_minutes BIGINT CHECK (new_duration_minutes > 0),
    reason TEXT NOT NULL,
    order_count BIGINT NOT NULL CHECK (order_count >= 0),
    actor_organisation_id BIGINT NOT NULL,
    actor_key_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((kind = 'cancelled') = (new_departing_at IS NULL)),
    CHECK ((new_departing_at IS NULL) = (new_flight_number IS NULL) AND (new_departing_at IS NULL) = (new_arriving_at IS NULL))
);
CREATE INDEX schedule_change_day ON schedule_change (flight_date);

-- The last change of the departure that the bucket's seats are on: a sale that was priced before it is refused.
ALTER TABLE seat_bucket ADD COLUMN schedule_change_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE seat_bucket ALTER COLUMN schedule_change_id DROP DEFAULT;

-- What a change means to one order, and what its agent answered.
CREATE TABLE airline_change (
    id BIGINT NOT NULL PRIMARY KEY,
    schedule_change_id BIGINT NOT NULL,
    order_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    action_taken TEXT CHECK (action_taken IN ('accepted', 'cancelled', 'changed')),
    action_taken_at TIMESTAMP,
    superseded_by BIGINT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    UNIQUE (schedule_change_id, order_id),
    CHECK ((action_taken IS NULL) = (action_taken_at IS NULL))
);
CREATE INDEX airline_change_order ON airline_change (order_id);
CREATE INDEX airline_change_agency ON airline_change (agency_id, id);

-- The coupons of a change as they were before it, and where they sit since it was accepted.
CREATE TABLE airline_change_segment (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_change_id BIGINT NOT NULL,
    coupon_id BIGINT NOT NULL,
    flight_number BIGINT NOT NULL,
    aircraft TEXT NOT NULL,
    departing_at TIMESTAMP NOT NULL,
    arriving_at TIMESTAMP NOT NULL,
    duration_minutes BIGINT NOT NULL,
    seat_bucket_id BIGINT NOT NULL,
    new_seat_bucket_id BIGINT,
    UNIQUE (airline_change_id, coupon_id)
);
CREATE INDEX airline_change_segment_coupon ON airline_change_segment (coupon_id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON schedule_change TO airsettle_app;
        GRANT SELECT, INSERT, UPDATE ON airline_change, airline_change_segment TO airsettle_app;
        REVOKE UPDATE, DELETE ON schedule_change FROM airsettle_app;
        REVOKE DELETE ON airline_change, airline_change_segment FROM airsettle_app;
    END IF;
END
$$;
