-- What was asked of the API: an allow-list of columns, no body, no query and no address as it was sent. Kept for 90 days.
CREATE TABLE request_log (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    error_code TEXT,
    latency_us INTEGER NOT NULL CHECK (latency_us >= 0),
    request_id TEXT NOT NULL,
    idempotency_digest TEXT
) STRICT;
CREATE INDEX request_log_organisation ON request_log (organisation_id, id);
CREATE INDEX request_log_request ON request_log (request_id);
