-- A separate confirmation for money above a threshold: a code by e-mail that is good for exactly one payment. code_digest is keyed.
CREATE TABLE money_confirmation (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES app_user (id),
    business TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX money_confirmation_user ON money_confirmation (user_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        -- What was confirmed stays; only what became of it is added.
        GRANT SELECT, INSERT ON money_confirmation TO airsettle_app;
        REVOKE UPDATE, DELETE ON money_confirmation FROM airsettle_app;
        GRANT UPDATE (attempts, expires_at, used_at) ON money_confirmation TO airsettle_app;
    END IF;
END
$$;
