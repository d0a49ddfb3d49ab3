-- What secures an agency's limit beside its deposit, what raises it for a while, who was told that it is used up, what went back to agencies, and
-- what stops them.

-- Of the agency: what its limit is made of beside deposit and policy (a cache of the registers below), which of its doings are frozen, and the part of
-- the limit in per cent that it was last told about.
ALTER TABLE agency ADD COLUMN limit_terms TEXT NOT NULL DEFAULT '';
ALTER TABLE agency ADD COLUMN frozen_scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE agency ADD COLUMN alerted_percent BIGINT NOT NULL DEFAULT 0;

-- Counted after the haircut from the first to the last day.
CREATE TABLE guarantee (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    kind TEXT NOT NULL CHECK (kind IN ('guarantee', 'insurance', 'pledge')),
    issuer TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    haircut TEXT NOT NULL,
    counted_minor BIGINT NOT NULL CHECK (counted_minor BETWEEN 0 AND amount_minor),
    effective_from DATE NOT NULL,
    expires_on DATE NOT NULL,
    attachment_id BIGINT NOT NULL REFERENCES attachment (id),
    created_at TIMESTAMP NOT NULL,
    released_at TIMESTAMP,
    CHECK (expires_on >= effective_from)
);
CREATE INDEX guarantee_agency ON guarantee (agency_id, id);

CREATE TABLE temporary_limit (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    effective_from DATE NOT NULL,
    effective_until DATE NOT NULL,
    approval_id BIGINT NOT NULL UNIQUE REFERENCES approval (id),
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    CHECK (effective_until >= effective_from)
);
CREATE INDEX temporary_limit_agency ON temporary_limit (agency_id, id);

-- The trade's baseline as it was on a day; the limit stays below the last one.
CREATE TABLE limit_review (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    capacity_minor BIGINT NOT NULL CHECK (capacity_minor >= 0),
    reporting_days BIGINT NOT NULL,
    remittance_days BIGINT NOT NULL,
    reviewed_on DATE NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX limit_review_agency ON limit_review (agency_id, id);

-- One row per crossing.
CREATE TABLE limit_alert (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    percent BIGINT NOT NULL CHECK (percent IN (50, 75, 90, 100)),
    currency TEXT NOT NULL,
    exposure_minor BIGINT NOT NULL,
    limit_minor BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX limit_alert_agency ON limit_alert (agency_id, id);

-- Client money that goes back to its agency.
CREATE TABLE payout (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('deposit_return', 'wallet_withdrawal')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date DATE NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX payout_agency ON payout (agency_id, id);

-- On until two people lift it, or reinstate the agency whose default has thrown it.
CREATE TABLE kill_switch (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT REFERENCES agency (id),
    airline_id BIGINT REFERENCES airline (id),
    facility_id BIGINT REFERENCES facility (id),
    scopes TEXT NOT NULL,
    grounds TEXT NOT NULL CHECK (grounds IN ('operator', 'default')),
    reason TEXT NOT NULL,
    organisation_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    approval_id BIGINT UNIQUE REFERENCES approval (id),
    lifted_at TIMESTAMP,
    CHECK ((lifted_at IS NULL) = (approval_id IS NULL)),
    CHECK ((CASE WHEN agency_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN airline_id IS NULL THEN 0 ELSE 1 END)
        + (CASE WHEN facility_id IS NULL THEN 0 ELSE 1 END) = 1),
    CHECK ((agency_id IS NULL) = (scopes = ''))
);
CREATE INDEX kill_switch_on ON kill_switch (id) WHERE lifted_at IS NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        -- Nothing of what was registered changes but that it ends.
        GRANT SELECT, INSERT ON guarantee, temporary_limit, limit_review, limit_alert, payout, kill_switch TO airsettle_app;
        REVOKE UPDATE, DELETE ON guarantee, temporary_limit, limit_review, limit_alert, payout, kill_switch FROM airsettle_app;
        GRANT UPDATE (released_at) ON guarantee TO airsettle_app;
        GRANT UPDATE (ended_at) ON temporary_limit TO airsettle_app;
        GRANT UPDATE (lifted_at, approval_id) ON kill_switch TO airsettle_app;
    END IF;
END
$$;
