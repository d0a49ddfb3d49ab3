DROP TABLE statement_line;
DROP TABLE billing_statement;
DROP TABLE credit_payout;
DROP TABLE obligation_charge;
DROP TABLE obligation;
ALTER TABLE bank_receipt ADD COLUMN meant_for TEXT NOT NULL DEFAULT 'capital'
    CHECK (meant_for IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment'));
UPDATE bank_receipt SET meant_for = purpose;
ALTER TABLE bank_receipt DROP COLUMN purpose;
ALTER TABLE bank_receipt RENAME COLUMN meant_for TO purpose;
DROP TABLE cycle_settlement;
