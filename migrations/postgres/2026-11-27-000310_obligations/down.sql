DROP TABLE statement_line;
DROP TABLE billing_statement;
DROP TABLE credit_payout;
DROP TABLE obligation_charge;
DROP TABLE obligation;
ALTER TABLE bank_receipt DROP CONSTRAINT bank_receipt_purpose_check;
ALTER TABLE bank_receipt ADD CONSTRAINT bank_receipt_purpose_check
    CHECK (purpose IN ('capital', 'deposit', 'wallet', 'remittance', 'airline_repayment'));
DROP TABLE cycle_settlement;
