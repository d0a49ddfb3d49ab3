-- What follows the sale: voids, claims on airlines, interest, money that leaves.

ALTER TABLE air_order ADD COLUMN cancelled_at TEXT;
-- What is not held any more, because less is to be paid: pending is amount - released.
ALTER TABLE hold ADD COLUMN released_minor INTEGER NOT NULL DEFAULT 0
    CHECK (released_minor >= 0 AND posted_minor + released_minor <= amount_minor);
-- Of an advance's amount, what is set off against claims and what is cancelled is not paid. What is reclaimed was taken back while it was on its
-- way: a claim if the bank confirms, cancelled if it refuses.
CREATE TABLE advance_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    facility_id INTEGER,
    hold_id INTEGER,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    set_off_minor INTEGER NOT NULL CHECK (set_off_minor >= 0),
    cancelled_minor INTEGER NOT NULL CHECK (cancelled_minor >= 0),
    reclaimed_minor INTEGER NOT NULL CHECK (reclaimed_minor >= 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'sent', 'unknown', 'failed', 'confirmed', 'set_off', 'cancelled')),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    sold_at TEXT NOT NULL,
    sent_at TEXT,
    confirmed_at TEXT,
    credited_at TEXT,
    bank_reference TEXT,
    detail TEXT,
    resolved_at TEXT,
    CHECK (set_off_minor + cancelled_minor + reclaimed_minor <= amount_minor)
) STRICT;
INSERT INTO advance_2 SELECT id, ticket_id, airline_id, facility_id, hold_id, amount_minor, 0, 0, 0, currency, state, attempt, sold_at, sent_at,
    confirmed_at, credited_at, bank_reference, detail, confirmed_at FROM advance;
DROP TABLE advance;
ALTER TABLE advance_2 RENAME TO advance;
CREATE INDEX advance_ticket ON advance (ticket_id);
CREATE INDEX advance_unresolved ON advance (facility_id, id) WHERE resolved_at IS NULL;

-- commission_minor is the commission that a remittance nets.
CREATE TABLE bank_receipt_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date TEXT NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment')),
    agency_id INTEGER REFERENCES agency (id),
    airline_id INTEGER REFERENCES airline (id),
    cycle TEXT,
    commission_minor INTEGER NOT NULL,
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
INSERT INTO bank_receipt_2 SELECT id, account, amount_minor, currency, value_date, bank_reference, purpose, agency_id, NULL, NULL, 0, posting_id,
    created_at FROM bank_receipt;
DROP TABLE bank_receipt;
ALTER TABLE bank_receipt_2 RENAME TO bank_receipt;
CREATE INDEX bank_receipt_cycle ON bank_receipt (agency_id, cycle) WHERE cycle IS NOT NULL;

-- A quote, and from confirmed_at on the cancellation of an order whose tickets were voided.
CREATE TABLE order_cancellation (
    id INTEGER NOT NULL PRIMARY KEY,
    order_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    refund_minor INTEGER NOT NULL CHECK (refund_minor >= 0),
    currency TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    confirmed_at TEXT
) STRICT;
CREATE INDEX order_cancellation_order ON order_cancellation (order_id);
CREATE INDEX order_cancellation_agency ON order_cancellation (agency_id, id);

-- What an airline was paid for a ticket that was voided, until it is set off against a later advance or repaid.
CREATE TABLE airline_claim (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    settled_minor INTEGER NOT NULL CHECK (settled_minor BETWEEN 0 AND amount_minor),
    terms TEXT NOT NULL CHECK (terms IN ('set_off', 'repay_on_demand')),
    created_at TEXT NOT NULL,
    settled_at TEXT
) STRICT;
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);

-- How a claim was settled: by an advance that was paid less, or by money that came back.
CREATE TABLE claim_settlement (
    id INTEGER NOT NULL PRIMARY KEY,
    claim_id INTEGER NOT NULL,
    advance_id INTEGER,
    receipt_id INTEGER,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CHECK ((advance_id IS NULL) <> (receipt_id IS NULL))
) STRICT;
CREATE INDEX claim_settlement_claim ON claim_settlement (claim_id);

-- A day of interest on a facility: the loan at the day's close, and the exact sum of balance x rate x days since the facility opened
-- (minor units x 1e-8), of which total_booked_minor is booked by the end of this day.
CREATE TABLE facility_accrual (
    id INTEGER NOT NULL PRIMARY KEY,
    facility_id INTEGER NOT NULL REFERENCES facility (id),
    day TEXT NOT NULL,
    balance_minor INTEGER NOT NULL CHECK (balance_minor >= 0),
    rate_e8 INTEGER NOT NULL CHECK (rate_e8 >= 0),
    total_scaled TEXT NOT NULL,
    total_booked_minor INTEGER NOT NULL,
    booked_minor INTEGER NOT NULL,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    UNIQUE (facility_id, day)
) STRICT;

-- Money that left one of the platform's bank accounts, recorded once per bank reference.
CREATE TABLE bank_payment (
    id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date TEXT NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('facility_repayment', 'tax')),
    facility_id INTEGER REFERENCES facility (id),
    principal_minor INTEGER NOT NULL CHECK (principal_minor >= 0),
    interest_minor INTEGER NOT NULL CHECK (interest_minor >= 0),
    payee TEXT,
    tax_code TEXT,
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- Between the own and the client account: a sweep is recorded when the bank has done it, a transfer to the client account is ordered first.
CREATE TABLE cash_transfer (
    id INTEGER NOT NULL PRIMARY KEY,
    to_account TEXT NOT NULL CHECK (to_account IN ('own', 'client')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    ticket_id INTEGER,
    bank_reference TEXT UNIQUE,
    value_date TEXT,
    created_at TEXT NOT NULL,
    confirmed_at TEXT
) STRICT;
