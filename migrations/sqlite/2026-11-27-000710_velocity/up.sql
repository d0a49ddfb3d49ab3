-- What is too much too quickly: the versions of the rules, and what has met one.

-- terms are JSON. The last version of a code that has begun holds.
CREATE TABLE velocity_rule (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('off', 'shadow', 'refuse', 'freeze')),
    terms TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (code, version)
) STRICT;
CREATE TRIGGER velocity_rule_no_update BEFORE UPDATE ON velocity_rule BEGIN SELECT RAISE(ABORT, 'velocity_rule is append-only'); END;
CREATE TRIGGER velocity_rule_no_delete BEFORE DELETE ON velocity_rule BEGIN SELECT RAISE(ABORT, 'velocity_rule is append-only'); END;

-- order_id is the order that was sold all the same; none where it was refused. reached and most are tickets, or minor units of the currency.
CREATE TABLE velocity_hit (
    id INTEGER NOT NULL PRIMARY KEY,
    rule_id INTEGER NOT NULL REFERENCES velocity_rule (id),
    agency_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    route TEXT NOT NULL,
    order_id INTEGER,
    reached INTEGER NOT NULL,
    most INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX velocity_hit_agency ON velocity_hit (agency_id, id);
