-- An agency that does not pay: what was netted and applied when it was declared and since, what was written off and what came in afterwards. One at a time.
CREATE TABLE agency_default (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    declared_on TEXT NOT NULL,
    owed_minor INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL,
    wallet_minor INTEGER NOT NULL CHECK (wallet_minor >= 0),
    deposit_minor INTEGER NOT NULL CHECK (deposit_minor >= 0),
    written_off_minor INTEGER NOT NULL CHECK (written_off_minor >= 0),
    recovered_minor INTEGER NOT NULL CHECK (recovered_minor BETWEEN 0 AND written_off_minor),
    write_off_approval_id INTEGER,
    reinstate_approval_id INTEGER,
    created_at TEXT NOT NULL,
    written_off_at TEXT,
    ended_at TEXT,
    CHECK ((written_off_at IS NOT NULL) = (write_off_approval_id IS NOT NULL)),
    CHECK ((written_off_at IS NOT NULL) = (written_off_minor > 0)),
    CHECK ((ended_at IS NOT NULL) = (reinstate_approval_id IS NOT NULL)),
    CHECK (ended_at IS NULL OR recovered_minor = written_off_minor)
) STRICT;
CREATE UNIQUE INDEX agency_default_running ON agency_default (agency_id) WHERE ended_at IS NULL;
