-- What two people have to agree on: a request with exactly what will be done, and its decision.

-- payload is what will be done and basis the state that it was asked for in, both as text; digest is over all that is asked for.
CREATE TABLE approval (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    basis TEXT NOT NULL,
    digest BLOB NOT NULL,
    reason TEXT NOT NULL,
    organisation_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    submitted_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'superseded')),
    decided_key_id INTEGER,
    decided_at TEXT,
    note TEXT,
    result TEXT,
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK ((status = 'approved') = (result IS NOT NULL)),
    CHECK (status NOT IN ('approved', 'rejected') OR decided_key_id IS NOT NULL),
    CHECK (status <> 'approved' OR decided_key_id <> key_id)
) STRICT;
CREATE UNIQUE INDEX approval_pending ON approval (kind, subject) WHERE status = 'pending';
CREATE TRIGGER approval_no_update BEFORE UPDATE OF
    id, kind, subject, payload, basis, digest, reason, organisation_id, key_id, submitted_at, expires_at ON approval
BEGIN SELECT RAISE(ABORT, 'what was asked for stays'); END;
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'what was asked for stays'); END;
