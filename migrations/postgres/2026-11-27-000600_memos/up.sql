-- Memos: what an airline claims from an agency (adm) or grants it (acm) for tickets that are sold. A claim: nothing is posted before a person has decided.

-- answer_by is the end of the agency's time; while it is disputed the clock stands still, and left_secs is what is left of it. decided_minor is what was
-- posted, paid_minor what the airline was paid of it.
CREATE TABLE memo (
    id BIGINT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('adm', 'acm')),
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    claimed_minor BIGINT NOT NULL CHECK (claimed_minor > 0),
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
    reason TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('issued', 'under_review', 'accepted', 'disputed', 'answered', 'posted', 'dismissed', 'withdrawn')),
    version BIGINT NOT NULL CHECK (version > 0),
    answer_by TIMESTAMP,
    left_secs BIGINT CHECK (left_secs > 0),
    unanswered_at TIMESTAMP,
    decided_minor BIGINT CHECK (decided_minor > 0),
    paid_minor BIGINT NOT NULL CHECK (paid_minor >= 0),
    cycle TEXT,
    posting_id BIGINT,
    approval_id BIGINT REFERENCES approval (id),
    created_at TIMESTAMP NOT NULL,
    decided_at TIMESTAMP,
    CHECK (fee_minor = 0 OR kind = 'adm'),
    CHECK (decided_minor <= claimed_minor + fee_minor),
    CHECK (paid_minor = 0 OR (kind = 'adm' AND decided_minor IS NOT NULL AND paid_minor <= decided_minor)),
    CHECK ((status = 'posted') = (decided_minor IS NOT NULL) AND (status = 'posted') = (posting_id IS NOT NULL)
        AND (status = 'posted') = (cycle IS NOT NULL)),
    CHECK ((status IN ('posted', 'dismissed')) = (approval_id IS NOT NULL)),
    CHECK ((status IN ('posted', 'dismissed')) = (decided_at IS NOT NULL)),
    CHECK ((left_secs IS NOT NULL) = (answer_by IS NULL))
);
CREATE INDEX memo_agency ON memo (agency_id, id);
CREATE INDEX memo_airline ON memo (airline_id, id);
CREATE INDEX memo_open ON memo (answer_by) WHERE status IN ('issued', 'under_review');

-- How much of it is about which ticket.
CREATE TABLE memo_ticket (
    id BIGINT NOT NULL PRIMARY KEY,
    memo_id BIGINT NOT NULL REFERENCES memo (id),
    ticket_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    UNIQUE (memo_id, ticket_id)
);
CREATE INDEX memo_ticket_ticket ON memo_ticket (ticket_id);

-- What was done about it and said, and by whom. reason is that of a dispute.
CREATE TABLE memo_step (
    id BIGINT NOT NULL PRIMARY KEY,
    memo_id BIGINT NOT NULL REFERENCES memo (id),
    version BIGINT NOT NULL,
    step TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    organisation_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (memo_id, version)
);

CREATE TABLE memo_evidence (
    id BIGINT NOT NULL PRIMARY KEY,
    step_id BIGINT NOT NULL REFERENCES memo_step (id),
    attachment_id BIGINT NOT NULL REFERENCES attachment (id),
    UNIQUE (step_id, attachment_id)
);
CREATE INDEX memo_evidence_attachment ON memo_evidence (attachment_id);

CREATE TRIGGER memo_ticket_no_change BEFORE UPDATE OR DELETE ON memo_ticket FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER memo_ticket_no_truncate BEFORE TRUNCATE ON memo_ticket FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER memo_step_no_change BEFORE UPDATE OR DELETE ON memo_step FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER memo_step_no_truncate BEFORE TRUNCATE ON memo_step FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER memo_evidence_no_change BEFORE UPDATE OR DELETE ON memo_evidence FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER memo_evidence_no_truncate BEFORE TRUNCATE ON memo_evidence FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An airline gives back what a memo grants an agency.
ALTER TABLE airline_claim ADD COLUMN memo_id BIGINT REFERENCES memo (id);
ALTER TABLE airline_claim DROP CONSTRAINT airline_claim_cause;
ALTER TABLE airline_claim ADD CONSTRAINT airline_claim_cause CHECK (
    (CASE WHEN ticket_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN incentive_period_id IS NULL THEN 0 ELSE 1 END)
    + (CASE WHEN memo_id IS NULL THEN 0 ELSE 1 END) = 1);
CREATE UNIQUE INDEX airline_claim_memo ON airline_claim (memo_id);

-- An airline is paid what memos claimed for it.
ALTER TABLE bank_payment ADD COLUMN airline_id BIGINT REFERENCES airline (id);
ALTER TABLE bank_payment DROP CONSTRAINT bank_payment_purpose_check;
ALTER TABLE bank_payment ADD CONSTRAINT bank_payment_purpose_check CHECK (purpose IN ('facility_repayment', 'tax', 'airline'));

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON memo, memo_ticket, memo_step, memo_evidence TO airsettle_app;
        REVOKE UPDATE, DELETE ON memo, memo_ticket, memo_step, memo_evidence FROM airsettle_app;
        GRANT UPDATE ON memo TO airsettle_app;
    END IF;
END
$$;
