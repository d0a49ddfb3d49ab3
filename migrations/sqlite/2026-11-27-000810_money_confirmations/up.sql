-- A separate confirmation for money above a threshold: a code by e-mail that is good for exactly one payment. code_digest is keyed.
CREATE TABLE money_confirmation (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES app_user (id),
    business TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX money_confirmation_user ON money_confirmation (user_id, id);
CREATE TRIGGER money_confirmation_no_update BEFORE UPDATE OF
    id, user_id, business, payee, amount_minor, currency, code_digest, created_at ON money_confirmation
BEGIN SELECT RAISE(ABORT, 'what was confirmed stays'); END;
CREATE TRIGGER money_confirmation_no_delete BEFORE DELETE ON money_confirmation
BEGIN SELECT RAISE(ABORT, 'what was confirmed stays'); END;
