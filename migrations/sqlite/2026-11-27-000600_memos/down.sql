-- Only a database in which none of this was used goes back: rows that the older schema cannot express stop the change.
ALTER TABLE bank_payment ADD COLUMN pays TEXT NOT NULL DEFAULT 'tax' CHECK (pays IN ('facility_repayment', 'tax'));
UPDATE bank_payment SET pays = purpose;
ALTER TABLE bank_payment DROP COLUMN purpose;
ALTER TABLE bank_payment RENAME COLUMN pays TO purpose;
ALTER TABLE bank_payment DROP COLUMN airline_id;
CREATE TABLE airline_claim_2 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER,
    airline_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    settled_minor INTEGER NOT NULL CHECK (settled_minor BETWEEN 0 AND amount_minor),
    terms TEXT NOT NULL CHECK (terms IN ('set_off', 'repay_on_demand')),
    created_at TEXT NOT NULL,
    settled_at TEXT,
    incentive_period_id INTEGER REFERENCES incentive_period (id),
    CHECK ((ticket_id IS NULL) <> (incentive_period_id IS NULL))
) STRICT;
INSERT INTO airline_claim_2 SELECT id, ticket_id, airline_id, currency, amount_minor, settled_minor, terms, created_at, settled_at, incentive_period_id
    FROM airline_claim;
DROP TABLE airline_claim;
ALTER TABLE airline_claim_2 RENAME TO airline_claim;
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);
CREATE UNIQUE INDEX airline_claim_incentive ON airline_claim (incentive_period_id);
DROP TABLE memo_evidence;
DROP TABLE memo_step;
DROP TABLE memo_ticket;
DROP TABLE memo;
