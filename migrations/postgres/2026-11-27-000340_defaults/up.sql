-- An agency that does not pay: what was netted and applied when it was declared and since, what was written off and what came in afterwards. One at a time.
CREATE TABLE agency_default (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    declared_on DATE NOT NULL,
    owed_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    wallet_minor BIGINT NOT NULL CHECK (wallet_minor >= 0),
    deposit_minor BIGINT NOT NULL CHECK (deposit_minor >= 0),
    written_off_minor BIGINT NOT NULL CHECK (written_off_minor >= 0),
    recovered_minor BIGINT NOT NULL CHECK (recovered_minor BETWEEN 0 AND written_off_minor),
    write_off_approval_id BIGINT,
    reinstate_approval_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    written_off_at TIMESTAMP,
    ended_at TIMESTAMP,
    CHECK ((written_off_at IS NOT NULL) = (write_off_approval_id IS NOT NULL)),
    CHECK ((written_off_at IS NOT NULL) = (written_off_minor > 0)),
    CHECK ((ended_at IS NOT NULL) = (reinstate_approval_id IS NOT NULL)),
    CHECK (ended_at IS NULL OR recovered_minor = written_off_minor)
);
CREATE UNIQUE INDEX agency_default_running ON agency_default (agency_id) WHERE ended_at IS NULL;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE ON agency_default TO airsettle_app;
        REVOKE DELETE ON agency_default FROM airsettle_app;
    END IF;
END
$$;
