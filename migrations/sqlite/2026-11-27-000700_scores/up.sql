-- What is thought of agencies: the versions of the policy scorecard, what speaks against an agency, what was counted of its days, and every decision with
-- its inputs.

-- body is the card as JSON. The last version that has begun holds.
CREATE TABLE score_card (
    id INTEGER NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (currency, version)
) STRICT;
CREATE TRIGGER score_card_no_update BEFORE UPDATE ON score_card BEGIN SELECT RAISE(ABORT, 'score_card is append-only'); END;
CREATE TRIGGER score_card_no_delete BEFORE DELETE ON score_card BEGIN SELECT RAISE(ABORT, 'score_card is append-only'); END;

-- Written in the commit of its cause; subject_id is the obligation or the default.
CREATE TABLE risk_event (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    kind TEXT NOT NULL CHECK (kind IN ('default', 'late_remittance', 'short_remittance')),
    subject_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX risk_event_agency ON risk_event (agency_id, id);
CREATE TRIGGER risk_event_no_update BEFORE UPDATE ON risk_event BEGIN SELECT RAISE(ABORT, 'risk_event is append-only'); END;
CREATE TRIGGER risk_event_no_delete BEFORE DELETE ON risk_event BEGIN SELECT RAISE(ABORT, 'risk_event is append-only'); END;

-- What a person has found in an agency's financial statements.
CREATE TABLE financial_review (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    result TEXT NOT NULL CHECK (result IN ('passed', 'failed')),
    reviewed_on TEXT NOT NULL,
    valid_until TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CHECK (valid_until >= reviewed_on)
) STRICT;
CREATE INDEX financial_review_agency ON financial_review (agency_id, id);

-- An agency's day, counted once when it is over.
CREATE TABLE agency_day (
    agency_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    tickets INTEGER NOT NULL,
    sold_minor INTEGER NOT NULL,
    credit_minor INTEGER NOT NULL,
    night INTEGER NOT NULL,
    near_departure INTEGER NOT NULL,
    voided INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    PRIMARY KEY (agency_id, day)
) STRICT;
CREATE INDEX agency_day_day ON agency_day (day);

-- Its tickets by airline and by the route of their first flight.
CREATE TABLE agency_day_part (
    agency_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('airline', 'route')),
    part TEXT NOT NULL,
    tickets INTEGER NOT NULL,
    PRIMARY KEY (agency_id, day, kind, part)
) STRICT;

-- A decision. inputs are what it was made from, taken from the records as they were at taken_at.
CREATE TABLE score (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    as_of TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('nightly', 'default', 'late_remittance', 'short_remittance')),
    score_card_id INTEGER NOT NULL REFERENCES score_card (id),
    inputs TEXT NOT NULL,
    points INTEGER NOT NULL CHECK (points BETWEEN 0 AND 1000),
    grade TEXT NOT NULL,
    multiplier TEXT NOT NULL,
    cap_minor INTEGER CHECK (cap_minor >= 0),
    risk_history TEXT NOT NULL CHECK (risk_history IN ('passed', 'failed')),
    status TEXT NOT NULL CHECK (status IN ('A', 'B', 'C'))
) STRICT;
CREATE INDEX score_agency ON score (agency_id, id);
CREATE UNIQUE INDEX score_nightly ON score (as_of, agency_id) WHERE cause = 'nightly';
CREATE INDEX score_event ON score (as_of, agency_id) WHERE cause <> 'nightly';
CREATE TRIGGER score_no_update BEFORE UPDATE ON score BEGIN SELECT RAISE(ABORT, 'score is append-only'); END;
CREATE TRIGGER score_no_delete BEFORE DELETE ON score BEGIN SELECT RAISE(ABORT, 'score is append-only'); END;

-- A copy of the last decision, where the sale reads it anyway.
ALTER TABLE agency ADD COLUMN caution TEXT NOT NULL DEFAULT '';

-- What a day is counted from.
CREATE INDEX ticket_issued_at ON ticket (issued_at);
CREATE INDEX order_cancellation_confirmed ON order_cancellation (confirmed_at) WHERE confirmed_at IS NOT NULL;
CREATE INDEX refund_ticket_posted ON refund_ticket (posted_at) WHERE posted_at IS NOT NULL;
CREATE INDEX bank_receipt_agency ON bank_receipt (agency_id, id) WHERE agency_id IS NOT NULL;
