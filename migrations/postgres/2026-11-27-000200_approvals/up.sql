-- What two people have to agree on: a request with exactly what will be done, and its decision.

-- payload is what will be done and basis the state that it was asked for in, both as text; digest is over all that is asked for.
CREATE TABLE approval (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    basis TEXT NOT NULL,
    digest BYTEA NOT NULL,
    reason TEXT NOT NULL,
    organisation_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    submitted_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'superseded')),
    decided_key_id BIGINT,
    decided_at TIMESTAMP,
    note TEXT,
    result TEXT,
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK ((status = 'approved') = (result IS NOT NULL)),
    CHECK (status NOT IN ('approved', 'rejected') OR decided_key_id IS NOT NULL),
    CHECK (status <> 'approved' OR decided_key_id <> key_id)
);
CREATE UNIQUE INDEX approval_pending ON approval (kind, subject) WHERE status = 'pending';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        -- What was asked for stays; only the decision is added to it.
        GRANT SELECT, INSERT ON approval TO airsettle_app;
        REVOKE UPDATE, DELETE ON approval FROM airsettle_app;
        GRANT UPDATE (status, decided_key_id, decided_at, note, result) ON approval TO airsettle_app;
    END IF;
END
$$;
