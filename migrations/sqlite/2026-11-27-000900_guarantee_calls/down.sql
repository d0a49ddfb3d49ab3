CREATE TABLE cycle_settlement_1 (
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
INSERT INTO cycle_settlement_1 SELECT id, agency_id, currency, cycle, kind, amount_minor, commission_minor, receipt_id, day, posting_id, created_at
    FROM cycle_settlement;
DROP TABLE cycle_settlement;
ALTER TABLE cycle_settlement_1 RENAME TO cycle_settlement;
CREATE INDEX cycle_settlement_cycle ON cycle_settlement (agency_id, cycle);
CREATE TRIGGER cycle_settlement_no_update BEFORE UPDATE ON cycle_settlement
BEGIN SELECT RAISE(ABORT, 'cycle_settlement is append-only'); END;
CREATE TRIGGER cycle_settlement_no_delete BEFORE DELETE ON cycle_settlement
BEGIN SELECT RAISE(ABORT, 'cycle_settlement is append-only'); END;
DROP INDEX bank_receipt_guarantee;
ALTER TABLE bank_receipt DROP COLUMN guarantee_id;
ALTER TABLE bank_receipt ADD COLUMN meant_for TEXT NOT NULL DEFAULT 'capital'
    CHECK (meant_for IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment', 'charges', 'recovery'));
UPDATE bank_receipt SET meant_for = purpose;
ALTER TABLE bank_receipt DROP COLUMN purpose;
ALTER TABLE bank_receipt RENAME COLUMN meant_for TO purpose;
ALTER TABLE agency_default DROP COLUMN guarantee_minor;
ALTER TABLE guarantee DROP COLUMN called_minor;
