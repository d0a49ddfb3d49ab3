DROP INDEX advance_own;
DROP INDEX advance_unordered;
ALTER TABLE advance DROP COLUMN ordered_at;
ALTER TABLE advance DROP COLUMN funding;
ALTER TABLE contract DROP COLUMN airline_payment_days;
ALTER TABLE contract DROP COLUMN airline_payment;
