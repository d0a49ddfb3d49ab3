-- Back-end incentive by volume: programmes, what agencies have earned under them, and paying it out.

-- Never changed. airline_return says how an airline that funds it pays.
CREATE TABLE incentive_programme (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    agency_id BIGINT REFERENCES agency (id),
    agency_tier TEXT,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    period TEXT NOT NULL CHECK (period IN ('month', 'quarter')),
    measure TEXT NOT NULL CHECK (measure IN ('fare', 'tickets')),
    method TEXT NOT NULL CHECK (method IN ('incremental', 'retroactive_to_first')),
    funder TEXT NOT NULL CHECK (funder IN ('airline', 'platform')),
    airline_return TEXT CHECK (airline_return IN ('set_off', 'repay_on_demand')),
    effective_from DATE NOT NULL,
    effective_until DATE,
    created_at TIMESTAMP NOT NULL,
    CHECK (agency_id IS NULL OR agency_tier IS NULL),
    CHECK ((airline_return IS NOT NULL) = (funder = 'airline')),
    CHECK (effective_until IS NULL OR effective_until >= effective_from)
);

-- From threshold (minor units of fare, or tickets) on.
CREATE TABLE incentive_tier (
    programme_id BIGINT NOT NULL REFERENCES incentive_programme (id),
    threshold BIGINT NOT NULL CHECK (threshold >= 0),
    rate TEXT,
    amount_minor BIGINT CHECK (amount_minor > 0),
    PRIMARY KEY (programme_id, threshold),
    CHECK ((rate IS NULL) <> (amount_minor IS NULL))
);

-- Up to which posting of each node a programme has counted.
CREATE TABLE incentive_cursor (
    id BIGINT NOT NULL PRIMARY KEY,
    programme_id BIGINT NOT NULL REFERENCES incentive_programme (id),
    node BIGINT NOT NULL,
    last_posting_id BIGINT NOT NULL,
    UNIQUE (programme_id, node)
);

-- How far one agency has come in one period: measured is fare in minor units or tickets, net of voids and refunds.
CREATE TABLE incentive_period (
    id BIGINT NOT NULL PRIMARY KEY,
    programme_id BIGINT NOT NULL REFERENCES incentive_programme (id),
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    starts_on DATE NOT NULL,
    measured BIGINT NOT NULL,
    accrued_minor BIGINT NOT NULL CHECK (accrued_minor >= 0),
    cycle TEXT,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP,
    UNIQUE (programme_id, agency_id, starts_on),
    CHECK (posting_id IS NULL OR (settled_at IS NOT NULL AND cycle IS NOT NULL))
);
CREATE INDEX incentive_period_agency ON incentive_period (agency_id, id);

-- What a period is made of, ticket by ticket; each posting of a sale, void or refund counts once.
CREATE TABLE incentive_accrual (
    id BIGINT NOT NULL PRIMARY KEY,
    period_id BIGINT NOT NULL REFERENCES incentive_period (id),
    ticket_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('issue', 'void', 'refund', 'true_up')),
    measured BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    caused_by_id BIGINT NOT NULL,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (period_id, caused_by_id, kind),
    CHECK ((posting_id IS NULL) = (amount_minor = 0))
);
CREATE INDEX incentive_accrual_period ON incentive_accrual (period_id, id);
CREATE INDEX incentive_accrual_ticket ON incentive_accrual (ticket_id);
CREATE TRIGGER incentive_accrual_no_change BEFORE UPDATE OR DELETE ON incentive_accrual
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER incentive_accrual_no_truncate BEFORE TRUNCATE ON incentive_accrual
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A claim is on what an airline was paid for a ticket, or on what it funds of a period's incentive.
ALTER TABLE airline_claim ALTER COLUMN ticket_id DROP NOT NULL;
ALTER TABLE airline_claim ADD COLUMN incentive_period_id BIGINT REFERENCES incentive_period (id);
ALTER TABLE airline_claim ADD CONSTRAINT airline_claim_cause CHECK ((ticket_id IS NULL) <> (incentive_period_id IS NULL));
CREATE UNIQUE INDEX airline_claim_incentive ON airline_claim (incentive_period_id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        -- Locking a programme's row takes the right to update one of its columns; nothing else is ever changed there.
        GRANT SELECT, INSERT ON incentive_programme, incentive_tier, incentive_cursor, incentive_period, incentive_accrual TO airsettle_app;
        REVOKE UPDATE, DELETE ON incentive_programme, incentive_tier, incentive_cursor, incentive_period, incentive_accrual FROM airsettle_app;
        GRANT UPDATE (name) ON incentive_programme TO airsettle_app;
        GRANT UPDATE ON incentive_cursor, incentive_period TO airsettle_app;
    END IF;
END
$$;
