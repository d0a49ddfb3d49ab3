-- What settles what an agency owes in a cycle: money that came, security that was applied, credit carried from one cycle to another or paid out, commission
-- that was netted. amount_minor is what the debt falls by beside commission_minor; negative where a credit is used up. day is the day that counts for
-- charges: of a remittance its value date.
CREATE TABLE cycle_settlement (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('remittance', 'netted', 'wallet', 'deposit', 'carried', 'paid_out', 'written_off')),
    amount_minor INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL,
    receipt_id INTEGER,
    day TEXT NOT NULL,
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CHECK ((receipt_id IS NOT NULL) = (kind = 'remittance'))
) STRICT;
CREATE INDEX cycle_settlement_cycle ON cycle_settlement (agency_id, cycle);
INSERT INTO cycle_settlement (id, agency_id, currency, cycle, kind, amount_minor, commission_minor, receipt_id, day, posting_id, created_at)
    SELECT id, agency_id, currency, cycle, 'remittance', amount_minor, commission_minor, id, value_date, posting_id, created_at
    FROM bank_receipt WHERE purpose = 'remittance';
CREATE TRIGGER cycle_settlement_no_update BEFORE UPDATE ON cycle_settlement
BEGIN SELECT RAISE(ABORT, 'cycle_settlement is append-only'); END;
CREATE TRIGGER cycle_settlement_no_delete BEFORE DELETE ON cycle_settlement
BEGIN SELECT RAISE(ABORT, 'cycle_settlement is append-only'); END;

-- A remittance that names no cycle pays the oldest first; charges are paid by themselves.
ALTER TABLE bank_receipt ADD COLUMN meant_for TEXT NOT NULL DEFAULT 'capital'
    CHECK (meant_for IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment', 'charges', 'recovery'));
UPDATE bank_receipt SET meant_for = purpose;
ALTER TABLE bank_receipt DROP COLUMN purpose;
ALTER TABLE bank_receipt RENAME COLUMN meant_for TO purpose;

-- What an agency has to pay for a cycle that is closed. The terms are those of the contract, as they were when it was closed.
CREATE TABLE obligation (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    contract_id INTEGER REFERENCES contract (id),
    statement_id INTEGER NOT NULL,
    billed_minor INTEGER NOT NULL,
    closed_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    late_rate_e8 INTEGER NOT NULL CHECK (late_rate_e8 >= 0),
    financing_rate_e8 INTEGER NOT NULL CHECK (financing_rate_e8 >= 0),
    free_days INTEGER NOT NULL CHECK (free_days >= 0),
    state TEXT NOT NULL CHECK (state IN ('not_yet_due', 'due', 'overdue', 'defaulted', 'paid', 'written_off')),
    state_since TEXT NOT NULL,
    charged_through TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (agency_id, currency, cycle)
) STRICT;
CREATE INDEX obligation_unpaid ON obligation (due_on) WHERE state NOT IN ('paid', 'written_off');

-- A day of the late fee or of financing: total_scaled is the exact sum of unpaid balance x rate x days (minor units x 1e-8) by the end of the day, of
-- which total_booked_minor is booked. What a payment turns out to have made too much is booked back the day after it came.
CREATE TABLE obligation_charge (
    id INTEGER NOT NULL PRIMARY KEY,
    obligation_id INTEGER NOT NULL REFERENCES obligation (id),
    kind TEXT NOT NULL CHECK (kind IN ('late_fee', 'financing')),
    day TEXT NOT NULL,
    balance_minor INTEGER NOT NULL,
    total_scaled TEXT NOT NULL,
    total_booked_minor INTEGER NOT NULL CHECK (total_booked_minor >= 0),
    booked_minor INTEGER NOT NULL,
    posting_id INTEGER,
    created_at TEXT NOT NULL,
    UNIQUE (obligation_id, kind, day),
    CHECK ((posting_id IS NULL) = (booked_minor = 0))
) STRICT;
CREATE TRIGGER obligation_charge_no_update BEFORE UPDATE ON obligation_charge
BEGIN SELECT RAISE(ABORT, 'obligation_charge is append-only'); END;
CREATE TRIGGER obligation_charge_no_delete BEFORE DELETE ON obligation_charge
BEGIN SELECT RAISE(ABORT, 'obligation_charge is append-only'); END;

-- Credit of a closed cycle that was paid out to the agency.
CREATE TABLE credit_payout (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    value_date TEXT NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX credit_payout_agency ON credit_payout (agency_id, id);

-- What an agency was billed for a cycle. It is written page by page: place and place_id say where the next page begins. Closed, it never changes again.
CREATE TABLE billing_statement (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('tickets', 'exchanges', 'given_in', 'refunds', 'incentives', 'settlements', 'done')),
    place_id INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    gross_minor INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL,
    byte_count INTEGER,
    sha256 TEXT,
    created_at TEXT NOT NULL,
    closed_at TEXT,
    UNIQUE (agency_id, currency, cycle),
    CHECK ((closed_at IS NULL) = (sha256 IS NULL)),
    CHECK (closed_at IS NULL OR place = 'done')
) STRICT;
CREATE INDEX billing_statement_agency ON billing_statement (agency_id, id);

CREATE TABLE statement_line (
    id INTEGER NOT NULL PRIMARY KEY,
    statement_id INTEGER NOT NULL REFERENCES billing_statement (id),
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    booking_reference TEXT NOT NULL,
    day TEXT NOT NULL,
    gross_minor INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL
) STRICT;
CREATE INDEX statement_line_statement ON statement_line (statement_id, id);
CREATE TRIGGER statement_line_no_update BEFORE UPDATE ON statement_line
BEGIN SELECT RAISE(ABORT, 'statement_line is append-only'); END;
CREATE TRIGGER statement_line_no_delete BEFORE DELETE ON statement_line
BEGIN SELECT RAISE(ABORT, 'statement_line is append-only'); END;
