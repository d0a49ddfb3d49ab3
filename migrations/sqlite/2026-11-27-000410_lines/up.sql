-- Bank lines whose rate follows a published one, with an availability period, a commitment fee and sub-limits per airline; and interest of days that a
-- movement dated back has changed.

-- A published rate, such as a one-day reference, per year. A row ends on the day before the next one begins.
CREATE TABLE base_rate (
    id INTEGER NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    name TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    effective_until TEXT,
    rate TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (currency, name, effective_from),
    CHECK (effective_until IS NULL OR effective_until >= effective_from)
) STRICT;

-- With a name the base is what is published under it, and base_rate is zero. A line takes new holds from and until these days.
ALTER TABLE facility ADD COLUMN base_rate_name TEXT;
ALTER TABLE facility ADD COLUMN commitment_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility ADD COLUMN available_from TEXT;
ALTER TABLE facility ADD COLUMN available_until TEXT;

-- What the limit was on a day: the commitment fee is on what was not drawn of it.
CREATE TABLE facility_limit (
    id INTEGER NOT NULL PRIMARY KEY,
    facility_id INTEGER NOT NULL REFERENCES facility (id),
    effective_from TEXT NOT NULL,
    limit_minor INTEGER NOT NULL CHECK (limit_minor >= 0),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX facility_limit_facility ON facility_limit (facility_id, id);
INSERT INTO facility_limit SELECT f.id, f.id, substr(f.created_at, 1, 10), s.limit_minor, f.created_at
    FROM facility f JOIN facility_slice s ON s.facility_id = f.id AND s.stripe = 0;

-- Held and drawn for one airline. Guarded by the facility's slice, like the limit itself.
CREATE TABLE facility_sublimit (
    id INTEGER NOT NULL PRIMARY KEY,
    facility_id INTEGER NOT NULL REFERENCES facility (id),
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    limit_minor INTEGER NOT NULL CHECK (limit_minor >= 0),
    used_minor INTEGER NOT NULL CHECK (used_minor >= 0),
    created_at TEXT NOT NULL,
    UNIQUE (facility_id, airline_id)
) STRICT;

ALTER TABLE facility_accrual ADD COLUMN corrected_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN undrawn_minor INTEGER NOT NULL DEFAULT 0 CHECK (undrawn_minor >= 0);
ALTER TABLE facility_accrual ADD COLUMN commitment_rate_e8 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE facility_accrual ADD COLUMN commitment_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN commitment_corrected_scaled TEXT NOT NULL DEFAULT '0';
ALTER TABLE facility_accrual ADD COLUMN commitment_booked_minor INTEGER NOT NULL DEFAULT 0;

-- Interest and commitment fee of days that are over: a movement of the loan was dated back, or a rate published late. Sums are balance x rate x days,
-- not divided; numbers follow each other per facility.
CREATE TABLE facility_correction (
    id INTEGER NOT NULL PRIMARY KEY,
    facility_id INTEGER NOT NULL REFERENCES facility (id),
    number INTEGER NOT NULL CHECK (number > 0),
    cause TEXT NOT NULL CHECK (cause IN ('draw', 'repayment', 'rate')),
    reference_id INTEGER NOT NULL,
    moved_minor INTEGER NOT NULL,
    from_day TEXT NOT NULL,
    until_day TEXT NOT NULL,
    scaled TEXT NOT NULL,
    total_scaled TEXT NOT NULL,
    commitment_scaled TEXT NOT NULL,
    commitment_total_scaled TEXT NOT NULL,
    booked_minor INTEGER NOT NULL,
    commitment_booked_minor INTEGER NOT NULL,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    UNIQUE (facility_id, number),
    CHECK (until_day > from_day),
    CHECK ((cause = 'rate') = (moved_minor = 0))
) STRICT;
CREATE TRIGGER facility_correction_no_update BEFORE UPDATE ON facility_correction
BEGIN SELECT RAISE(ABORT, 'facility_correction is append-only'); END;
CREATE TRIGGER facility_correction_no_delete BEFORE DELETE ON facility_correction
BEGIN SELECT RAISE(ABORT, 'facility_correction is append-only'); END;
