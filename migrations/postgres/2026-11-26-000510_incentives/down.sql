-- Only a database in which none of this was used goes back: rows that the older schema cannot express stop the change.
DROP INDEX airline_claim_incentive;
ALTER TABLE airline_claim DROP CONSTRAINT airline_claim_cause;
ALTER TABLE airline_claim DROP COLUMN incentive_period_id;
ALTER TABLE airline_claim ALTER COLUMN ticket_id SET NOT NULL;
DROP TABLE incentive_accrual;
DROP TABLE incentive_period;
DROP TABLE incentive_cursor;
DROP TABLE incentive_tier;
DROP TABLE incentive_programme;
