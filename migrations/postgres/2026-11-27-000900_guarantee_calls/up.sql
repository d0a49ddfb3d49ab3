-- What a guarantor paid for an agency in default. counted_minor is what is left after its haircut of what was not called.
ALTER TABLE guarantee ADD COLUMN called_minor BIGINT NOT NULL DEFAULT 0 CHECK (called_minor >= 0);
ALTER TABLE guarantee ADD CONSTRAINT guarantee_called_check CHECK (called_minor <= amount_minor);

ALTER TABLE agency_default ADD COLUMN guarantee_minor BIGINT NOT NULL DEFAULT 0 CHECK (guarantee_minor >= 0);

ALTER TABLE bank_receipt ADD COLUMN guarantee_id BIGINT REFERENCES guarantee (id);
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_purpose_check;
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_purpose_check
    CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment', 'charges', 'recovery', 'guarantee'));
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_guarantee_check CHECK ((guarantee_id IS NOT NULL) = (purpose = 'guarantee'));
CREATE INDEX bank_receipt_guarantee ON bank_receipt (guarantee_id) WHERE guarantee_id IS NOT NULL;

ALTER TABLE cycle_settlement DROP CONSTRAINT cycle_settlement_kind_check;
ALTER TABLE cycle_settlement ADD CONSTRAINT cycle_settlement_kind_check
    CHECK (kind IN ('remittance', 'netted', 'wallet', 'deposit', 'carried', 'paid_out', 'written_off', 'guarantee'));
ALTER TABLE cycle_settlement DROP CONSTRAINT cycle_settlement_check;
ALTER TABLE cycle_settlement ADD CONSTRAINT cycle_settlement_check
    CHECK ((receipt_id IS NOT NULL) = (kind IN ('remittance', 'guarantee')));

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT UPDATE (called_minor, counted_minor) ON guarantee TO airsettle_app;
    END IF;
END
$$;
