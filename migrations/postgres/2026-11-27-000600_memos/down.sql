-- Only a database in which none of this was used goes back: rows that the older schema cannot express stop the change.
ALTER TABLE bank_payment DROP CONSTRAINT bank_payment_purpose_check;
ALTER TABLE bank_payment ADD CONSTRAINT bank_payment_purpose_check CHECK (purpose IN ('facility_repayment', 'tax'));
ALTER TABLE bank_payment DROP COLUMN airline_id;
DROP INDEX airline_claim_memo;
ALTER TABLE airline_claim DROP CONSTRAINT airline_claim_cause;
ALTER TABLE airline_claim DROP COLUMN memo_id;
ALTER TABLE airline_claim ADD CONSTRAINT airline_claim_cause CHECK ((ticket_id IS NULL) <> (incentive_period_id IS NULL));
DROP TABLE memo_evidence;
DROP TABLE memo_step;
DROP TABLE memo_ticket;
DROP TABLE memo;
