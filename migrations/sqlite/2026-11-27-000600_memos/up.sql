-- Memos: what an airline claims from an agency (adm) or grants it (acm) for tickets that are sold. A claim: nothing is posted before a person has decided.

-- answer_by is the end of the agency's time; while it is disputed the clock stands still, and left_secs is what is left of it. decided_minor is what was
-- posted, paid_minor what the airline was paid of it.
CREATE TABLE memo (
    id INTEGER NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('adm', 'acm')),
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    claimed_minor INTEGER NOT NULL CHECK (claimed_minor > 0),
    fee_minor INTEGER NOT NULL CHECK (fee_minor >= 0),
    reason TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('issued', 'under_review', 'accepted', 'disputed', 'answered', 'posted', 'dismissed', 'withdrawn')),
    version INTEGER NOT NULL CHECK (version > 0),
    answer_by TEXT,
    left_secs INTEGER CHECK (left_secs > 0),
    unanswered_at TEXT,
    decided_minor INTEGER CHECK (decided_minor > 0),
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    cycle TEXT,
    posting_id INTEGER,
    approval_id INTEGER REFERENCES approval (id),
    created_at TEXT NOT NULL,
    decided_at TEXT,
    CHECK (fee_minor = 0 OR kind = 'adm'),
    CHECK (decided_minor <= claimed_minor + fee_minor),
    CHECK (paid_minor = 0 OR (kind = 'adm' AND decided_minor IS NOT NULL AND paid_minor <= decided_minor)),
    CHECK ((status = 'posted') = (decided_minor IS NOT NULL) AND (status = 'posted') = (posting_id IS NOT NULL)
        AND (status = 'posted') = (cycle IS NOT NULL)),
    CHECK ((status IN ('posted', 'dismissed')) = (approval_id IS NOT NULL)),
    CHECK ((status IN ('posted', 'dismissed')) = (decided_at IS NOT NULL)),
    CHECK ((left_secs IS NOT NULL) = (answer_by IS NULL))
) STRICT;
CREATE INDEX memo_agency ON memo (agency_id, id);
CREATE INDEX memo_airline ON memo (airline_id, id);
CREATE INDEX memo_open ON memo (answer_by) WHERE status IN ('issued', 'under_review');

-- How much of it is about which ticket.
CREATE TABLE memo_ticket (
    id INTEGER NOT NULL PRIMARY KEY,
    memo_id INTEGER NOT NULL REFERENCES memo (id),
    ticket_id INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    UNIQUE (memo_id, ticket_id)
) STRICT;
CREATE INDEX memo_ticket_ticket ON memo_ticket (ticket_id);

-- What was done about it and said, and by whom. reason is that of a dispute.
CREATE TABLE memo_step (
    id INTEGER NOT NULL PRIMARY KEY,
    memo_id INTEGER NOT NULL REFERENCES memo (id),
    version INTEGER NOT NULL,
    step TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    organisation_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (memo_id, version)
) STRICT;

CREATE TABLE memo_evidence (
    id INTEGER NOT NULL PRIMARY KEY,
    step_id INTEGER NOT NULL REFERENCES memo_step (id),
    attachment_id INTEGER NOT NULL REFERENCES attachment (id),
    UNIQUE (step_id, attachment_id)
) STRICT;
CREATE INDEX memo_evidence_attachment ON memo_evidence (attachment_id);

CREATE TRIGGER memo_ticket_no_update BEFORE UPDATE ON memo_ticket
BEGIN SELECT RAISE(ABORT, 'memo_ticket is append-only'); END;
CREATE TRIGGER memo_ticket_no_delete BEFORE DELETE ON memo_ticket
BEGIN SELECT RAISE(ABORT, 'memo_ticket is append-only'); END;
CREATE TRIGGER memo_step_no_update BEFORE UPDATE ON memo_step
BEGIN SELECT RAISE(ABORT, 'memo_step is append-only'); END;
CREATE TRIGGER memo_step_no_delete BEFORE DELETE ON memo_step
BEGIN SELECT RAISE(ABORT, 'memo_step is append-only'); END;
CREATE TRIGGER memo_evidence_no_update BEFORE UPDATE ON memo_evidence
BEGIN SELECT RAISE(ABORT, 'memo_evidence is append-only'); END;
CREATE TRIGGER memo_evidence_no_delete BEFORE DELETE ON memo_evidence
BEGIN SELECT RAISE(ABORT, 'memo_evidence is append-only'); END;

-- An airline gives back what a memo grants an agency.
CREATE TABLE airline_claim_3 (
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
    memo_id INTEGER REFERENCES memo (id),
    CHECK ((ticket_id IS NOT NULL) + (incentive_period_id IS NOT NULL) + (memo_id IS NOT NULL) = 1)
) STRICT;
INSERT INTO airline_claim_3 SELECT id, ticket_id, airline_id, currency, amount_minor, settled_minor, terms, created_at, settled_at,
    incentive_period_id, NULL FROM airline_claim;
DROP TABLE airline_claim;
ALTER TABLE airline_claim_3 RENAME TO airline_claim;
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);
CREATE UNIQUE INDEX airline_claim_incentive ON airline_claim (incentive_period_id);
CREATE UNIQUE INDEX airline_claim_memo ON airline_claim (memo_id);

-- An airline is paid what memos claimed for it.
ALTER TABLE bank_payment ADD COLUMN airline_id INTEGER REFERENCES airline (id);
ALTER TABLE bank_payment ADD COLUMN pays TEXT NOT NULL DEFAULT 'tax' CHECK (pays IN ('facility_repayment', 'tax', 'airline'));
UPDATE bank_payment SET pays = purpose;
ALTER TABLE bank_payment DROP COLUMN purpose;
ALTER TABLE bank_payment RENAME COLUMN pays TO purpose;
