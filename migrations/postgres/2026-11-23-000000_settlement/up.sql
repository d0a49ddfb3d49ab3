-- What follows the sale: voids, claims on airlines, interest, money that leaves.

ALTER TABLE air_order ADD COLUMN cancelled_at TIMESTAMP;
-- What is not held any more, because less is to be paid: pending is amount - released.
ALTER TABLE hold ADD COLUMN released_minor BIGINT NOT NULL DEFAULT 0
    CHECK (released_minor >= 0 AND posted_minor + released_minor <= amount_minor);
-- Of an advance's amount, what is set off against claims and what is cancelled is not paid. What is reclaimed was taken back while it was on its
-- way: a claim if the bank confirms, cancelled if it refuses.
ALTER TABLE advance ADD COLUMN set_off_minor BIGINT NOT NULL DEFAULT 0 CHECK (set_off_minor >= 0);
ALTER TABLE advance ADD COLUMN cancelled_minor BIGINT NOT NULL DEFAULT 0 CHECK (cancelled_minor >= 0);
ALTER TABLE advance ADD COLUMN reclaimed_minor BIGINT NOT NULL DEFAULT 0 CHECK (reclaimed_minor >= 0);
ALTER TABLE advance ADD COLUMN resolved_at TIMESTAMP;
ALTER TABLE advance ALTER COLUMN set_off_minor DROP DEFAULT, ALTER COLUMN cancelled_minor DROP DEFAULT, ALTER COLUMN reclaimed_minor DROP DEFAULT;
UPDATE advance SET resolved_at = confirmed_at;
ALTER TABLE advance ADD CHECK (set_off_minor + cancelled_minor + reclaimed_minor <= amount_minor);
ALTER TABLE advance DROP CONSTRAINT advance_state_check;
ALTER TABLE advance ADD CONSTRAINT advance_state_check
    CHECK (state IN ('held', 'sent', 'unknown', 'failed', 'confirmed', 'set_off', 'cancelled'));
DROP INDEX advance_unresolved;
CREATE INDEX advance_unresolved ON advance (facility_id, id) WHERE resolved_at IS NULL;

-- commission_minor is the commission that a remittance nets.
ALTER TABLE bank_receipt ADD COLUMN airline_id BIGINT REFERENCES airline (id);
ALTER TABLE bank_receipt ADD COLUMN cycle TEXT;
ALTER TABLE bank_receipt ADD COLUMN commission_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_receipt ALTER COLUMN commission_minor DROP DEFAULT;
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_purpose_check;
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_purpose_check
    CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment'));
CREATE INDEX bank_receipt_cycle ON bank_receipt (agency_id, cycle) WHERE cycle IS NOT NULL;

-- A quote, and from confirmed_at on the cancellation of an order whose tickets were voided.
CREATE TABLE order_cancellation (
    id BIGINT NOT NULL PRIMARY KEY,
    order_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    refund_minor BIGINT NOT NULL CHECK (refund_minor >= 0),
    currency TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP
);
CREATE INDEX order_cancellation_order ON order_cancellation (order_id);
CREATE INDEX order_cancellation_agency ON order_cancellation (agency_id, id);

-- What an airline was paid for a ticket that was voided, until it is set off against a later advance or repaid.
CREATE TABLE airline_claim (
    id BIGINT NOT NULL PRIMARY KEY,
    ticket_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    settled_minor BIGINT NOT NULL CHECK (settled_minor BETWEEN 0 AND amount_minor),
    terms TEXT NOT NULL CHECK (terms IN ('set_off', 'repay_on_demand')),
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP
);
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);

-- How a claim was settled: by an advance that was paid less, or by money that came back.
CREATE TABLE claim_settlement (
    id BIGINT NOT NULL PRIMARY KEY,
    claim_id BIGINT NOT NULL,
    advance_id BIGINT,
    receipt_id BIGINT,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((advance_id IS NULL) <> (receipt_id IS NULL))
);
CREATE INDEX claim_settlement_claim ON claim_settlement (claim_id);

-- A day of interest on a facility: the loan at the day's close, and the exact sum of balance x rate x days since the facility opened
-- (minor units x 1e-8), of which total_booked_minor is booked by the end of this day.
CREATE TABLE facility_accrual (
    id BIGINT NOT NULL PRIMARY KEY,
    facility_id BIGINT NOT NULL REFERENCES facility (id),
    day DATE NOT NULL,
    balance_minor BIGINT NOT NULL CHECK (balance_minor >= 0),
    rate_e8 BIGINT NOT NULL CHECK (rate_e8 >= 0),
    total_scaled TEXT NOT NULL,
    total_booked_minor BIGINT NOT NULL,
    booked_minor BIGINT NOT NULL,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (facility_id, day)
);

-- Money that left one of the platform's bank accounts, recorded once per bank reference.
CREATE TABLE bank_payment (
    id BIGINT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date DATE NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('facility_repayment', 'tax')),
    facility_id BIGINT REFERENCES facility (id),
    principal_minor BIGINT NOT NULL CHECK (principal_minor >= 0),
    interest_minor BIGINT NOT NULL CHECK (interest_minor >= 0),
    payee TEXT,
    tax_code TEXT,
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- Between the own and the client account: a sweep is recorded when the bank has done it, a transfer to the client account is ordered first.
CREATE TABLE cash_transfer (
    id BIGINT NOT NULL PRIMARY KEY,
    to_account TEXT NOT NULL CHECK (to_account IN ('own', 'client')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    ticket_id BIGINT,
    bank_reference TEXT UNIQUE,
    value_date DATE,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP
);

-- The application's role works with the new tables as with the others.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE
            ON order_cancellation, airline_claim, claim_settlement, facility_accrual, bank_payment, cash_transfer TO airsettle_app;
        REVOKE UPDATE, DELETE ON facility_accrual, bank_payment, claim_settlement FROM airsettle_app;
    END IF;
END
$$;
