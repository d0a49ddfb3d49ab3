ALTER TABLE cycle_settlement DROP CONSTRAINT cycle_settlement_check;
ALTER TABLE cycle_settlement ADD CONSTRAINT cycle_settlement_check CHECK ((receipt_id IS NOT NULL) = (kind = 'remittance'));
ALTER TABLE cycle_settlement DROP CONSTRAINT cycle_settlement_kind_check;
ALTER TABLE cycle_settlement ADD CONSTRAINT cycle_settlement_kind_check
    CHECK (kind IN ('remittance', 'netted', 'wallet', 'deposit', 'carried', 'paid_out', 'written_off'));
DROP INDEX bank_receipt_guarantee;
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_guarantee_check;
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_purpose_check;
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_purpose_check
    CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment', 'charges', 'recovery'));
ALTER TABLE bank_receipt DROP COLUMN guarantee_id;
ALTER TABLE agency_default DROP COLUMN guarantee_minor;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        REVOKE UPDATE (called_minor, counted_minor) ON guarantee FROM airsettle_app;
    END IF;
END
$$;
ALTER TABLE guarantee DROP CONSTRAINT guarantee_called_check;
ALTER TABLE guarantee DROP COLUMN called_minor;
