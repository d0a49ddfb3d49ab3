-- What an agency asks back, quoted and then confirmed. From applied_at on the clock of seven working days runs; short_minor is what client cash lacks while
-- a wallet waits for the airline's money. A penalty below zero is a second amount: a part of what was kept before comes back.
CREATE TABLE refund_application (
    id BIGINT NOT NULL PRIMARY KEY,
    order_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('voluntary', 'involuntary', 'medical', 'tax_only', 'supplementary')),
    status TEXT NOT NULL CHECK (status IN ('quoted', 'submitted', 'awaiting_airline_funds', 'refunded', 'rejected')),
    tender TEXT NOT NULL CHECK (tender IN ('credit', 'wallet')),
    currency TEXT NOT NULL,
    fare_minor BIGINT NOT NULL CHECK (fare_minor >= 0),
    tax_minor BIGINT NOT NULL CHECK (tax_minor >= 0),
    penalty_minor BIGINT NOT NULL CHECK (penalty_minor <= fare_minor),
    refund_minor BIGINT NOT NULL CHECK (refund_minor > 0 AND refund_minor = fare_minor + tax_minor - penalty_minor),
    reason TEXT,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    applied_at TIMESTAMP,
    due_at TIMESTAMP,
    overdue_at TIMESTAMP,
    decided_at TIMESTAMP,
    decided_by_key_id BIGINT,
    decision_note TEXT,
    short_minor BIGINT CHECK (short_minor > 0),
    completed_at TIMESTAMP
);
CREATE INDEX refund_application_agency ON refund_application (agency_id, id);
CREATE INDEX refund_application_order ON refund_application (order_id);
CREATE INDEX refund_application_open ON refund_application (due_at) WHERE status IN ('submitted', 'awaiting_airline_funds');

-- What an application gives back of one ticket: the amounts and who gives them back. Its posting refers to this row.
CREATE TABLE refund_ticket (
    id BIGINT NOT NULL PRIMARY KEY,
    application_id BIGINT NOT NULL REFERENCES refund_application (id),
    ticket_id BIGINT NOT NULL,
    fare_minor BIGINT NOT NULL CHECK (fare_minor >= 0),
    tax_minor BIGINT NOT NULL CHECK (tax_minor >= 0),
    penalty_minor BIGINT NOT NULL CHECK (penalty_minor <= fare_minor),
    airline_minor BIGINT NOT NULL CHECK (airline_minor >= 0),
    authority_minor BIGINT NOT NULL CHECK (authority_minor >= 0),
    commission_minor BIGINT NOT NULL CHECK (commission_minor >= 0),
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
    cycle TEXT,
    posted_at TIMESTAMP,
    CHECK (airline_minor + authority_minor + commission_minor + fee_minor = fare_minor + tax_minor - penalty_minor)
);
CREATE INDEX refund_ticket_application ON refund_ticket (application_id);
CREATE INDEX refund_ticket_ticket ON refund_ticket (ticket_id);

CREATE TABLE refund_coupon (
    id BIGINT NOT NULL PRIMARY KEY,
    refund_id BIGINT NOT NULL REFERENCES refund_ticket (id),
    coupon_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    fare_minor BIGINT NOT NULL CHECK (fare_minor >= 0),
    tax_minor BIGINT NOT NULL CHECK (tax_minor >= 0),
    penalty_minor BIGINT NOT NULL CHECK (penalty_minor BETWEEN 0 AND fare_minor),
    penalty_rate TEXT,
    commission_minor BIGINT NOT NULL CHECK (commission_minor >= 0),
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0)
);
CREATE INDEX refund_coupon_refund ON refund_coupon (refund_id);
CREATE INDEX refund_coupon_coupon ON refund_coupon (coupon_id);

CREATE TABLE refund_tax (
    id BIGINT NOT NULL PRIMARY KEY,
    refund_id BIGINT NOT NULL REFERENCES refund_ticket (id),
    coupon_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    payee TEXT NOT NULL,
    remitter TEXT NOT NULL CHECK (remitter IN ('platform', 'airline')),
    minor BIGINT NOT NULL CHECK (minor > 0)
);
CREATE INDEX refund_tax_refund ON refund_tax (refund_id);

-- A document that somebody has uploaded. Its content is in the data folder, encrypted with its own key, which is wrapped here.
CREATE TABLE attachment (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    byte_count BIGINT NOT NULL CHECK (byte_count BETWEEN 1 AND 10485760),
    sha256 TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX attachment_organisation ON attachment (organisation_id, id);

CREATE TABLE refund_evidence (
    id BIGINT NOT NULL PRIMARY KEY,
    application_id BIGINT NOT NULL REFERENCES refund_application (id),
    attachment_id BIGINT NOT NULL REFERENCES attachment (id)
);
CREATE INDEX refund_evidence_application ON refund_evidence (application_id);

-- A cancellation outside the void window is a refund of the whole order.
ALTER TABLE order_cancellation ADD COLUMN application_id BIGINT REFERENCES refund_application (id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON refund_application, refund_ticket, refund_coupon, refund_tax, attachment, refund_evidence
            TO airsettle_app;
        REVOKE DELETE ON refund_application, refund_ticket, refund_coupon, refund_tax, attachment, refund_evidence FROM airsettle_app;
        REVOKE UPDATE ON refund_coupon, refund_tax, attachment, refund_evidence FROM airsettle_app;
    END IF;
END
$$;
