-- Whom an agency wants to be written to about money, and in which language.
CREATE TABLE billing_contact (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL UNIQUE REFERENCES agency (id),
    email TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('zh-CN', 'en')),
    created_at TIMESTAMP NOT NULL
);

-- What an agency was written about an obligation: each step once. The text is what it was when it was written; message_id is the same however often it is tried.
CREATE TABLE dunning_message (
    id BIGINT NOT NULL PRIMARY KEY,
    obligation_id BIGINT NOT NULL REFERENCES obligation (id),
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    step TEXT NOT NULL,
    language TEXT NOT NULL,
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    error TEXT,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    UNIQUE (obligation_id, step),
    CHECK ((sent_at IS NOT NULL) = (state = 'sent'))
);
CREATE INDEX dunning_message_agency ON dunning_message (agency_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE ON billing_contact, dunning_message TO airsettle_app;
        REVOKE DELETE ON billing_contact, dunning_message FROM airsettle_app;
    END IF;
END
$$;
