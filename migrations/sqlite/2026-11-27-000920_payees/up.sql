-- Where an airline was paid before: two people agreed to each change.
CREATE TABLE payee_change (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    former_account TEXT NOT NULL,
    former_name TEXT NOT NULL,
    payee_account TEXT NOT NULL CHECK (payee_account <> ''),
    payee_name TEXT NOT NULL CHECK (payee_name <> ''),
    approval_id INTEGER NOT NULL REFERENCES approval (id),
    changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX payee_change_airline ON payee_change (airline_id, id);

-- The last change that was known when the payment was sent: it keeps its payee, whatever comes after.
ALTER TABLE advance ADD COLUMN payee_change_id INTEGER REFERENCES payee_change (id);

-- The journal of a ticket tells what its advance was set off against.
CREATE INDEX claim_settlement_advance ON claim_settlement (advance_id);

CREATE TRIGGER payee_change_no_update BEFORE UPDATE ON payee_change
BEGIN SELECT RAISE(ABORT, 'payee_change is append-only'); END;
CREATE TRIGGER payee_change_no_delete BEFORE DELETE ON payee_change
BEGIN SELECT RAISE(ABORT, 'payee_change is append-only'); END;
