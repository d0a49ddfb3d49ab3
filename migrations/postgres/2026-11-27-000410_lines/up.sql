-- Bank lines whose rate follows a published one, with an availability period, a commitment fee and sub-limits per airline; and interest of days that a
-- movement dated back has changed.

-- A published rate, such as a one-day reference, per year. A row ends on the day before the next one begins.
CREATE TABLE base_rate (
    id BIGINT NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    name TEXT NOT NULL,
    effective_from DATE NOT NULL,
    effective_until DATE,
    rate TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (currency, name, effective_from),
    CHECK (effective_until IS NULL OR effective_until >= effective_from)
);

-- With a name the base is what is published under it, and base_rate is zero. A line takes new holds from and until these days.
ALTER TABLE facility ADD COLUMN base_rate_name TEXT;
ALTER TABLE facility ADD COLUMN commitment_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility ADD COLUMN available_from DATE;
ALTER TABLE facility ADD COLUMN available_until DATE;

-- What the limit was on a day: the commitment fee is on what was not drawn of it.
CREATE TABLE facility_limit (
    id BIGINT NOT NULL PRIMARY KEY,
    facility_id BIGINT NOT NULL REFERENCES facility (id),
    effective_from DATE NOT NULL,
    limit_minor BIGINT NOT NULL CHECK (limit_minor >= 0),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX facility_limit_facility ON facility_limit (facility_id, id);
INSERT INTO facility_limit SELECT f.id, f.id, CAST(f.created_at AS DATE), s.limit_minor, f.created_at
    FROM facility f JOIN facility_slice s ON s.facility_id = f.id AND s.stripe = 0;

-- Held and drawn for one airline. Guarded by the facility's slice, like the limit itself.
CREATE TABLE facility_sublimit (
    id BIGINT NOT NULL PRIMARY KEY,
    facility_id BIGINT NOT NULL REFERENCES facility (id),
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    limit_minor BIGINT NOT NULL CHECK (limit_minor >= 0),
    used_minor BIGINT NOT NULL CHECK (used_minor >= 0),
    created_at TIMESTAMP NOT NULL,
    UNIQUE (facility_id, airline_id)
);

ALTER TABLE facility_accrual ADD COLUMN corrected_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN undrawn_minor BIGINT NOT NULL DEFAULT 0 CHECK (undrawn_minor >= 0);
ALTER TABLE facility_accrual ADD COLUMN commitment_rate_e8 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE facility_accrual ADD COLUMN commitment_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN commitment_corrected_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN commitment_booked_minor BIGINT NOT NULL DEFAULT 0;

-- Interest and commitment fee of days that are over: a movement of the loan was dated back, or a rate published late. Sums are balance x rate x days,
-- not divided; numbers follow each other per facility.
CREATE TABLE facility_correction (
    id BIGINT NOT NULL PRIMARY KEY,
    facility_id BIGINT NOT NULL REFERENCES facility (id),
    number BIGINT NOT NULL CHECK (number > 0),
    cause TEXT NOT NULL CHECK (cause IN ('draw', 'repayment', 'rate')),
    reference_id BIGINT NOT NULL,
    moved_minor BIGINT NOT NULL,
    from_day DATE NOT NULL,
    until_day DATE NOT NULL,
    scaled TEXT NOT NULL,
    total_scaled TEXT NOT NULL,
    commitment_scaled TEXT NOT NULL,
    commitment_total_scaled TEXT NOT NULL,
    booked_minor BIGINT NOT NULL,
    commitment_booked_minor BIGINT NOT NULL,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (facility_id, number),
    CHECK (until_day > from_day),
    CHECK ((cause = 'rate') = (moved_minor = 0))
);
CREATE TRIGGER facility_correction_no_change BEFORE UPDATE OR DELETE ON facility_correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER facility_correction_no_truncate BEFORE TRUNCATE ON facility_correction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON base_rate, facility_limit, facility_sublimit, facility_correction TO airsettle_app;
        REVOKE UPDATE, DELETE ON base_rate, facility_limit, facility_sublimit, facility_correction FROM airsettle_app;
        GRANT UPDATE (effective_until) ON base_rate TO airsettle_app;
        GRANT UPDATE (limit_minor, used_minor) ON facility_sublimit TO airsettle_app;
    END IF;
END
$$;
