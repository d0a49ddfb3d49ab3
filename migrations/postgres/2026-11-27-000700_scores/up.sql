-- What is thought of agencies: the versions of the policy scorecard, what speaks against an agency, what was counted of its days, and every decision with
-- its inputs.

-- body is the card as JSON. The last version that has begun holds.
CREATE TABLE score_card (
    id BIGINT NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    effective_from DATE NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (currency, version)
);
CREATE TRIGGER score_card_no_change BEFORE UPDATE OR DELETE ON score_card
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_card_no_truncate BEFORE TRUNCATE ON score_card
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Written in the commit of its cause; subject_id is the obligation or the default.
CREATE TABLE risk_event (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    kind TEXT NOT NULL CHECK (kind IN ('default', 'late_remittance', 'short_remittance')),
    subject_id BIGINT NOT NULL,
    day DATE NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX risk_event_agency ON risk_event (agency_id, id);
CREATE TRIGGER risk_event_no_change BEFORE UPDATE OR DELETE ON risk_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER risk_event_no_truncate BEFORE TRUNCATE ON risk_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a person has found in an agency's financial statements.
CREATE TABLE financial_review (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    result TEXT NOT NULL CHECK (result IN ('passed', 'failed')),
    reviewed_on DATE NOT NULL,
    valid_until DATE NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK (valid_until >= reviewed_on)
);
CREATE INDEX financial_review_agency ON financial_review (agency_id, id);

-- An agency's day, counted once when it is over.
CREATE TABLE agency_day (
    agency_id BIGINT NOT NULL,
    day DATE NOT NULL,
    tickets BIGINT NOT NULL,
    sold_minor BIGINT NOT NULL,
    credit_minor BIGINT NOT NULL,
    night BIGINT NOT NULL,
    near_departure BIGINT NOT NULL,
    voided BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (agency_id, day)
);
CREATE INDEX agency_day_day ON agency_day (day);

-- Its tickets by airline and by the route of their first flight.
CREATE TABLE agency_day_part (
    agency_id BIGINT NOT NULL,
    day DATE NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('airline', 'route')),
    part TEXT NOT NULL,
    tickets BIGINT NOT NULL,
    PRIMARY KEY (agency_id, day, kind, part)
);

-- A decision. inputs are what it was made from, taken from the records as they were at taken_at.
CREATE TABLE score (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    as_of DATE NOT NULL,
    taken_at TIMESTAMP NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('nightly', 'default', 'late_remittance', 'short_remittance')),
    score_card_id BIGINT NOT NULL REFERENCES score_card (id),
    inputs TEXT NOT NULL,
    points BIGINT NOT NULL CHECK (points BETWEEN 0 AND 1000),
    grade TEXT NOT NULL,
    multiplier TEXT NOT NULL,
    cap_minor BIGINT CHECK (cap_minor >= 0),
    risk_history TEXT NOT NULL CHECK (risk_history IN ('passed', 'failed')),
    status TEXT NOT NULL CHECK (status IN ('A', 'B', 'C'))
);
CREATE INDEX score_agency ON score (agency_id, id);
CREATE UNIQUE INDEX score_nightly ON score (as_of, agency_id) WHERE cause = 'nightly';
CREATE INDEX score_event ON score (as_of, agency_id) WHERE cause <> 'nightly';
CREATE TRIGGER score_no_change BEFORE UPDATE OR DELETE ON score
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_no_truncate BEFORE TRUNCATE ON score
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A copy of the last decision, where the sale reads it anyway.
ALTER TABLE agency ADD COLUMN caution TEXT NOT NULL DEFAULT '';

-- What a day is counted from.
CREATE INDEX ticket_issued_at ON ticket (issued_at);
CREATE INDEX order_cancellation_confirmed ON order_cancellation (confirmed_at) WHERE confirmed_at IS NOT NULL;
CREATE INDEX refund_ticket_posted ON refund_ticket (posted_at) WHERE posted_at IS NOT NULL;
CREATE INDEX bank_receipt_agency ON bank_receipt (agency_id, id) WHERE agency_id IS NOT NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON score_card, risk_event, financial_review, agency_day, agency_day_part, score TO airsettle_app;
        REVOKE UPDATE, DELETE ON score_card, risk_event, financial_review, agency_day, agency_day_part, score FROM airsettle_app;
    END IF;
END
$$;
