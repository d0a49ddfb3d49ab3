-- Back-end incentive by volume: programmes, what agencies have earned under them, and paying it out.

-- Never changed. airline_return says how an airline that funds it pays.
CREATE TABLE incentive_programme (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    agency_id INTEGER REFERENCES agency (id),
    agency_tier TEXT,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    period TEXT NOT NULL CHECK (period IN ('month', 'quarter')),
    measure TEXT NOT NULL CHECK (measure IN ('fare', 'tickets')),
    method TEXT NOT NULL CHECK (method IN ('incremental', 'retroactive_to_first')),
    funder TEXT NOT NULL CHECK (funder IN ('airline', 'platform')),
    airline_return TEXT CHECK (airline_return IN ('set_off', 'repay_on_demand')),
    effective_from TEXT NOT NULL,
    effective_until TEXT,
    created_at TEXT NOT NULL,
    CHECK (agency_id IS NULL OR agency_tier IS NULL),
    CHECK ((airline_return IS NOT NULL) = (funder = 'airline')),
    CHECK (effective_until IS NULL OR effective_until >= effective_from)
) STRICT;

-- From threshold (minor units of fare, or tickets) on.
CREATE TABLE incentive_tier (
    programme_id INTEGER NOT NULL REFERENCES incentive_programme (id),
    threshold INTEGER NOT NULL CHECK (threshold >= 0),
    rate TEXT,
    amount_minor INTEGER CHECK (amount_minor > 0),
    PRIMARY KEY (programme_id, threshold),
    CHECK ((rate IS NULL) <> (amount_minor IS NULL))
) STRICT;

-- Up to which posting of each node a programme has counted.
CREATE TABLE incentive_cursor (
    id INTEGER NOT NULL PRIMARY KEY,
    programme_id INTEGER NOT NULL REFERENCES incentive_programme (id),
    node INTEGER NOT NULL,
    last_posting_id INTEGER NOT NULL,
    UNIQUE (programme_id, node)
) STRICT;

-- How far one agency has come in one period: measured is fare in minor units or tickets, net of voids and refunds.
CREATE TABLE incentive_period (
    id INTEGER NOT NULL PRIMARY KEY,
    programme_id INTEGER NOT NULL REFERENCES incentive_programme (id),
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    measured INTEGER NOT NULL,
    accrued_minor INTEGER NOT NULL CHECK (accrued_minor >= 0),
    cycle TEXT,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    settled_at TEXT,
    UNIQUE (programme_id, agency_id, starts_on),
    CHECK (posting_id IS NULL OR (settled_at IS NOT NULL AND cycle IS NOT NULL))
) STRICT;
CREATE INDEX incentive_period_agency ON incentive_period (agency_id, id);

-- What a period is made of, ticket by ticket; each posting of a sale, void or refund counts once.
CREATE TABLE incentive_accrual (
    id INTEGER NOT NULL PRIMARY KEY,
    period_id INTEGER NOT NULL REFERENCES incentive_period (id),
    ticket_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('issue', 'void', 'refund', 'true_up')),
    measured INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    caused_by_id INTEGER NOT NULL,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    UNIQUE (period_id, caused_by_id, kind),
    CHECK ((posting_id IS NULL) = (amount_minor = 0))
) STRICT;
CREATE INDEX incentive_accrual_period ON incentive_accrual (period_id, id);
CREATE INDEX incentive_accrual_ticket ON incentive_accrual (ticket_id);
CREATE TRIGGER incentive_accrual_no_update BEFORE UPDATE ON incentive_accrual
BEGIN SELECT RAISE(ABORT, 'incentive_accrual is append-only'); END;
CREATE TRIGGER incentive_accrual_no_delete BEFORE DELETE ON incentive_accrual
BEGIN SELECT RAISE(ABORT, 'incentive_accrual is append-only'); END;

-- A claim is on what an airline was paid for a ticket, or on what it funds of a period's incentive.
CREATE TABLE airline_claim_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER,
    airline_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    settled_minor INTEGER NOT NULL CHECK (settled_minor BETWEEN 0 AND amount_minor),
    terms TEXT NOT NULL CHECK (terms IN ('set_off', 'repay_on_demand')),
    created_at TEXT NOT NULL,
    settled_at TEXT,
    incentive_period_id INTEGER REFERENCES incentive_period (id),
    CHECK ((ticket_id IS NULL) <> (incentive_period_id IS NULL))
) STRICT;
INSERT INTO airline_claim_2 SELECT id, ticket_id, airline_id, currency, amount_minor, settled_minor, terms, created_at, settled_at, NULL
    FROM airline_claim;
DROP TABLE airline_claim;
ALTER TABLE airline_claim_2 RENAME TO airline_claim;
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);
CREATE UNIQUE INDEX airline_claim_incentive ON airline_claim (incentive_period_id);
