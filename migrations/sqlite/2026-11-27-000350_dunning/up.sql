-- Whom an agency wants to be written to about money, and in which language.
CREATE TABLE billing_contact (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL UNIQUE REFERENCES agency (id),
    email TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('zh-CN', 'en')),
    created_at TEXT NOT NULL
) STRICT;

-- What an agency was written about an obligation: each step once. The text is what it was when it was written; message_id is the same however often it is tried.
CREATE TABLE dunning_message (
    id INTEGER NOT NULL PRIMARY KEY,
    obligation_id INTEGER NOT NULL REFERENCES obligation (id),
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    step TEXT NOT NULL,
    language TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    error TEXT,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    UNIQUE (obligation_id, step),
    CHECK ((sent_at IS NOT NULL) = (state = 'sent'))
) STRICT;
CREATE INDEX dunning_message_agency ON dunning_message (agency_id, id);
