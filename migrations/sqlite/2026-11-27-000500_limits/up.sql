-- What secures an agency's limit beside its deposit, what raises it for a while, who was told that it is used up, what went back to agencies, and
-- what stops them.

-- Of the agency: what its limit is made of beside deposit and policy (a cache of the registers below), which of its doings are frozen, and the part of
-- the limit in per cent that it was last told about.
ALTER TABLE agency ADD COLUMN limit_terms TEXT NOT NULL DEFAULT '';
ALTER TABLE agency ADD COLUMN frozen_scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE agency ADD COLUMN alerted_percent INTEGER NOT NULL DEFAULT 0;

-- Counted after the haircut from the first to the last day.
CREATE TABLE guarantee (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    kind TEXT NOT NULL CHECK (kind IN ('guarantee', 'insurance', 'pledge')),
    issuer TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    haircut TEXT NOT NULL,
    counted_minor INTEGER NOT NULL CHECK (counted_minor BETWEEN 0 AND amount_minor),
    effective_from TEXT NOT NULL,
    expires_on TEXT NOT NULL,
    attachment_id INTEGER NOT NULL REFERENCES attachment (id),
    created_at TEXT NOT NULL,
    released_at TEXT,
    CHECK (expires_on >= effective_from)
) STRICT;
CREATE INDEX guarantee_agency ON guarantee (agency_id, id);

CREATE TABLE temporary_limit (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    effective_from TEXT NOT NULL,
    effective_until TEXT NOT NULL,
    approval_id INTEGER NOT NULL UNIQUE REFERENCES approval (id),
    created_at TEXT NOT NULL,
    ended_at TEXT,
    CHECK (effective_until >= effective_from)
) STRICT;
CREATE INDEX temporary_limit_agency ON temporary_limit (agency_id, id);

-- The trade's baseline as it was on a day; the limit stays below the last one.
CREATE TABLE limit_review (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    capacity_minor INTEGER NOT NULL CHECK (capacity_minor >= 0),
    reporting_days INTEGER NOT NULL,
    remittance_days INTEGER NOT NULL,
    reviewed_on TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX limit_review_agency ON limit_review (agency_id, id);

-- One row per crossing.
CREATE TABLE limit_alert (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    percent INTEGER NOT NULL CHECK (percent IN (50, 75, 90, 100)),
    currency TEXT NOT NULL,
    exposure_minor INTEGER NOT NULL,
    limit_minor INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX limit_alert_agency ON limit_alert (agency_id, id);

-- Client money that goes back to its agency.
CREATE TABLE payout (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('deposit_return', 'wallet_withdrawal')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX payout_agency ON payout (agency_id, id);

-- On until two people lift it, or reinstate the agency whose default has thrown it.
CREATE TABLE kill_switch (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER REFERENCES agency (id),
    airline_id INTEGER REFERENCES airline (id),
    facility_id INTEGER REFERENCES facility (id),
    scopes TEXT NOT NULL,
    grounds TEXT NOT NULL CHECK (grounds IN ('operator', 'default')),
    reason TEXT NOT NULL,
    organisation_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    approval_id INTEGER UNIQUE REFERENCES approval (id),
    lifted_at TEXT,
    CHECK ((lifted_at IS NULL) = (approval_id IS NULL)),
    CHECK ((CASE WHEN agency_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN airline_id IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN facility_id IS NULL THEN 0 ELSE 1 END) = 1),
    CHECK ((agency_id IS NULL) = (scopes = ''))
) STRICT;
CREATE INDEX kill_switch_on ON kill_switch (id) WHERE lifted_at IS NULL;
