-- People: who may sign in for an organisation, what they may do there, and what a sign-in leaves behind.

-- In test mode: the live organisation whose people try things out here.
ALTER TABLE organisation ADD COLUMN sandbox_of INTEGER;
CREATE UNIQUE INDEX organisation_sandbox ON organisation (sandbox_of);

-- The person who made it, where a person did: two keys of one person are not two people.
ALTER TABLE api_key ADD COLUMN user_id INTEGER;

-- The people behind the keys or sessions that asked and decided.
ALTER TABLE approval ADD COLUMN user_id INTEGER;
ALTER TABLE approval ADD COLUMN decided_user_id INTEGER CHECK (decided_user_id IS NULL OR status <> 'approved' OR user_id IS NULL OR decided_user_id <> user_id);

-- What a role of an organisation of this kind may do: the names of scopes, separated by blanks.
CREATE TABLE role (
    organisation_kind TEXT NOT NULL CHECK (organisation_kind IN ('operator', 'agency', 'airline', 'bank')),
    name TEXT NOT NULL,
    permissions TEXT NOT NULL,
    PRIMARY KEY (organisation_kind, name)
) STRICT;
INSERT INTO role (organisation_kind, name, permissions) VALUES
    ('agency', 'agent', 'air:read air:write limits:read parties:read'),
    ('agency', 'supervisor', 'air:read air:write finance:read limits:read memos:write parties:read'),
    ('agency', 'finance', 'air:read finance:read limits:read memos:write parties:read'),
    ('agency', 'admin', 'air:read air:write clock:write finance:read keys:write limits:read memos:write parties:read users:write webhooks:write'),
    ('agency', 'developer', 'air:read air:write clock:write keys:write limits:read parties:read webhooks:write'),
    ('airline', 'finance', 'coupons:write finance:read memos:write parties:read webhooks:write'),
    ('operator', 'operations', 'air:read approvals:write clock:write coupons:write finance:read limits:read parties:read parties:write webhooks:write'),
    ('operator', 'risk', 'air:read approvals:write finance:read limits:read memos:write parties:read risk:write'),
    ('operator', 'finance', 'air:read approvals:write finance:read finance:write limits:read memos:write parties:read'),
    ('operator', 'admin', 'air:read approvals:write clock:write coupons:write finance:read finance:write keys:write limits:read memos:write parties:read parties:write risk:write users:write webhooks:write'),
    ('bank', 'viewer', 'finance:read parties:read');

-- email is in small letters. password_hash is a PHC string of argon2id.
CREATE TABLE app_user (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    roles TEXT NOT NULL CHECK (roles <> ''),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    password_hash TEXT NOT NULL,
    password_changed_at TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX app_user_organisation ON app_user (organisation_id, id);

-- A person's signed-in device. The token itself is only in its cookie.
CREATE TABLE session (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES app_user (id),
    token_digest BLOB NOT NULL UNIQUE,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE INDEX session_by_user ON session (user_id, id);

-- Wrong sign-ins in a row, by a keyed digest of the address that was given, whether anybody has it or not.
CREATE TABLE sign_in_failure (
    email_digest TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at TEXT NOT NULL,
    locked_until TEXT
) STRICT;
CREATE INDEX sign_in_failure_last ON sign_in_failure (last_at);

-- One per person. The secret is sealed; last_step is the time step of the code that was used last, so that none is used twice.
CREATE TABLE second_factor (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL UNIQUE REFERENCES app_user (id),
    sealed_secret BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    confirmed_at TEXT
) STRICT;

CREATE TABLE recovery_code (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES app_user (id),
    code_digest BLOB NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX recovery_code_user ON recovery_code (user_id);

CREATE TABLE invitation (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    email TEXT NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('zh-CN', 'en')),
    roles TEXT NOT NULL CHECK (roles <> ''),
    token_digest BLOB NOT NULL UNIQUE,
    invited_by INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    accepted_at TEXT,
    revoked_at TEXT,
    user_id INTEGER REFERENCES app_user (id),
    CHECK ((accepted_at IS NULL) = (user_id IS NULL))
) STRICT;
CREATE INDEX invitation_organisation ON invitation (organisation_id, id);

CREATE TABLE password_reset (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES app_user (id),
    token_digest BLOB NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX password_reset_user ON password_reset (user_id, created_at);

-- E-mail to a person. It may carry a link or a code, so its text is sealed, and gone once it is sent.
CREATE TABLE letter (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed_body BLOB,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    error TEXT,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    CHECK ((sent_at IS NOT NULL) = (state = 'sent')),
    CHECK ((sealed_body IS NOT NULL) = (state = 'queued'))
) STRICT;

CREATE TRIGGER approval_user_no_update BEFORE UPDATE OF user_id ON approval
BEGIN SELECT RAISE(ABORT, 'what was asked for stays'); END;
