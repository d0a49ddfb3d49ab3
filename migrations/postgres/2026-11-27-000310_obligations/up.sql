-- What settles what an agency owes in a cycle: money that came, security that was applied, credit carried from one cycle to another or paid out, commission
-- that was netted. amount_minor is what the debt falls by beside commission_minor; negative where a credit is used up. day is the day that counts for
-- charges: of a remittance its value date.
CREATE TABLE cycle_settlement (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('remittance', 'netted', 'wallet', 'deposit', 'carried', 'paid_out', 'written_off')),
    amount_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    receipt_id BIGINT,
    day DATE NOT NULL,
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((receipt_id IS NOT NULL) = (kind = 'remittance'))
);
CREATE INDEX cycle_settlement_cycle ON cycle_settlement (agency_id, cycle);
INSERT INTO cycle_settlement (id, agency_id, currency, cycle, kind, amount_minor, commission_minor, receipt_id, day, posting_id, created_at)
    SELECT id, agency_id, currency, cycle, 'remittance', amount_minor, commission_minor, id, value_date, posting_id, created_at
    FROM bank_receipt WHERE purpose = 'remittance';
CREATE TRIGGER cycle_settlement_no_change BEFORE UPDATE OR DELETE ON cycle_settlement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER cycle_settlement_no_truncate BEFORE TRUNCATE ON cycle_settlement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A remittance that names no cycle pays the oldest first; charges are paid by themselves.
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_purpose_check;
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_purpose_check
    CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment', 'charges', 'recovery'));

-- What an agency has to pay for a cycle that is closed. The terms are those of the contract, as they were when it was closed.
CREATE TABLE obligation (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    contract_id BIGINT REFERENCES contract (id),
    statement_id BIGINT NOT NULL,
    billed_minor BIGINT NOT NULL,
    closed_on DATE NOT NULL,
    due_on DATE NOT NULL,
    late_rate_e8 BIGINT NOT NULL CHECK (late_rate_e8 >= 0),
    financing_rate_e8 BIGINT NOT NULL CHECK (financing_rate_e8 >= 0),
    free_days BIGINT NOT NULL CHECK (free_days >= 0),
    state TEXT NOT NULL CHECK (state IN ('not_yet_due', 'due', 'overdue', 'defaulted', 'paid', 'written_off')),
    state_since DATE NOT NULL,
    charged_through DATE,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (agency_id, currency, cycle)
);
CREATE INDEX obligation_unpaid ON obligation (due_on) WHERE state NOT IN ('paid', 'written_off');

-- A day of the late fee or of financing: total_scaled is the exact sum of unpaid balance x rate x days (minor units x 1e-8) by the end of the day, of
-- which total_booked_minor is booked. What a payment turns out to have made too much is booked back the day after it came.
CREATE TABLE obligation_charge (
    id BIGINT NOT NULL PRIMARY KEY,
    obligation_id BIGINT NOT NULL REFERENCES obligation (id),
    kind TEXT NOT NULL CHECK (kind IN ('late_fee', 'financing')),
    day DATE NOT NULL,
    balance_minor BIGINT NOT NULL,
    total_scaled TEXT NOT NULL,
    total_booked_minor BIGINT NOT NULL CHECK (total_booked_minor >= 0),
    booked_minor BIGINT NOT NULL,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (obligation_id, kind, day),
    CHECK ((posting_id IS NULL) = (booked_minor = 0))
);
CREATE TRIGGER obligation_charge_no_change BEFORE UPDATE OR DELETE ON obligation_charge
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER obligation_charge_no_truncate BEFORE TRUNCATE ON obligation_charge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Credit of a closed cycle that was paid out to the agency.
CREATE TABLE credit_payout (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    value_date DATE NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX credit_payout_agency ON credit_payout (agency_id, id);

-- What an agency was billed for a cycle. It is written page by page: place and place_id say where the next page begins. Closed, it never changes again.
CREATE TABLE billing_statement (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    cycle TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('tickets', 'exchanges', 'given_in', 'refunds', 'incentives', 'settlements', 'done')),
    place_id BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    gross_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    byte_count BIGINT,
    sha256 TEXT,
    created_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    UNIQUE (agency_id, currency, cycle),
    CHECK ((closed_at IS NULL) = (sha256 IS NULL)),
    CHECK (closed_at IS NULL OR place = 'done')
);
CREATE INDEX billing_statement_agency ON billing_statement (agency_id, id);

CREATE TABLE statement_line (
    id BIGINT NOT NULL PRIMARY KEY,
    statement_id BIGINT NOT NULL REFERENCES billing_statement (id),
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    booking_reference TEXT NOT NULL,
    day DATE NOT NULL,
    gross_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL
);
CREATE INDEX statement_line_statement ON statement_line (statement_id, id);
CREATE TRIGGER statement_line_no_change BEFORE UPDATE OR DELETE ON statement_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_line_no_truncate BEFORE TRUNCATE ON statement_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON cycle_settlement, obligation, obligation_charge, credit_payout, billing_statement, statement_line TO airsettle_app;
        REVOKE UPDATE, DELETE ON cycle_settlement, obligation, obligation_charge, credit_payout, billing_statement, statement_line FROM airsettle_app;
        GRANT UPDATE ON obligation, billing_statement TO airsettle_app;
    END IF;
END
$$;
