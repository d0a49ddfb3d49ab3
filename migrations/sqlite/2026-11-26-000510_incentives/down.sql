-- Only a database in which none of this was used goes back: rows that the older schema cannot express stop the change.
CREATE TABLE airline_claim_1 (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    settled_minor INTEGER NOT NULL CHECK (settled_minor BETWEEN 0 AND amount_minor),
    terms TEXT NOT NULL CHECK (terms IN ('set_off', 'repay_on_demand')),
    created_at TEXT NOT NULL,
    settled_at TEXT
) STRICT;
INSERT INTO airline_claim_1 SELECT id, ticket_id, airline_id, currency, amount_minor, settled_minor, terms, created_at, settled_at FROM airline_claim;
DROP TABLE airline_claim;
ALTER TABLE airline_claim_1 RENAME TO airline_claim;
CREATE INDEX airline_claim_open ON airline_claim (airline_id, id) WHERE settled_at IS NULL;
CREATE INDEX airline_claim_ticket ON airline_claim (ticket_id);
DROP TABLE incentive_accrual;
DROP TABLE incentive_period;
DROP TABLE incentive_cursor;
DROP TABLE incentive_tier;
DROP TABLE incentive_programme;
