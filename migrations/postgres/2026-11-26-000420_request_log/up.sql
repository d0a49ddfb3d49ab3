-- What was asked of the API: an allow-list of columns, no body, no query and no address as it was sent. Kept for 90 days.
CREATE TABLE request_log (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    error_code TEXT,
    latency_us BIGINT NOT NULL CHECK (latency_us >= 0),
    request_id TEXT NOT NULL,
    idempotency_digest TEXT
);
CREATE INDEX request_log_organisation ON request_log (organisation_id, id);
CREATE INDEX request_log_request ON request_log (request_id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, DELETE ON request_log TO airsettle_app;
        REVOKE UPDATE ON request_log FROM airsettle_app;
    END IF;
END
$$;
