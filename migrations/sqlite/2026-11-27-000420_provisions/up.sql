-- What agencies are expected never to pay, held as an allowance: once per close of day, and where something is written off.
CREATE TABLE loss_provision (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    day TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('close', 'write_off')),
    exposure_minor INTEGER NOT NULL CHECK (exposure_minor >= 0),
    rate TEXT NOT NULL,
    allowance_minor INTEGER NOT NULL CHECK (allowance_minor >= 0),
    booked_minor INTEGER NOT NULL,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    CHECK ((posting_id IS NULL) = (booked_minor = 0))
) STRICT;
CREATE UNIQUE INDEX loss_provision_day ON loss_provision (agency_id, currency, day) WHERE cause = 'close';
CREATE TRIGGER loss_provision_no_update BEFORE UPDATE ON loss_provision
BEGIN SELECT RAISE(ABORT, 'loss_provision is append-only'); END;
CREATE TRIGGER loss_provision_no_delete BEFORE DELETE ON loss_provision
BEGIN SELECT RAISE(ABORT, 'loss_provision is append-only'); END;
