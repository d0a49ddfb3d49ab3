-- Where an airline was paid before: two people agreed to each change.
CREATE TABLE payee_change (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    former_account TEXT NOT NULL,
    former_name TEXT NOT NULL,
    payee_account TEXT NOT NULL CHECK (payee_account <> ''),
    payee_name TEXT NOT NULL CHECK (payee_name <> ''),
    approval_id BIGINT NOT NULL REFERENCES approval (id),
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX payee_change_airline ON payee_change (airline_id, id);

-- The last change that was known when the payment was sent: it keeps its payee, whatever comes after.
ALTER TABLE advance ADD COLUMN payee_change_id BIGINT REFERENCES payee_change (id);

-- The journal of a ticket tells what its advance was set off against.
CREATE INDEX claim_settlement_advance ON claim_settlement (advance_id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON payee_change TO airsettle_app;
        REVOKE UPDATE, DELETE ON payee_change FROM airsettle_app;
    END IF;
END
$$;
