-- What agencies are expected never to pay, held as an allowance: once per close of day, and where something is written off.
CREATE TABLE loss_provision (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    currency TEXT NOT NULL,
    day DATE NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('close', 'write_off')),
    exposure_minor BIGINT NOT NULL CHECK (exposure_minor >= 0),
    rate TEXT NOT NULL,
    allowance_minor BIGINT NOT NULL CHECK (allowance_minor >= 0),
    booked_minor BIGINT NOT NULL,
    posting_id BIGINT,
    created_at TIMESTAMP NOT NULL,
    CHECK ((posting_id IS NULL) = (booked_minor = 0))
);
CREATE UNIQUE INDEX loss_provision_day ON loss_provision (agency_id, currency, day) WHERE cause = 'close';
CREATE TRIGGER loss_provision_no_change BEFORE UPDATE OR DELETE ON loss_provision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER loss_provision_no_truncate BEFORE TRUNCATE ON loss_provision
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON loss_provision TO airsettle_app;
        REVOKE UPDATE, DELETE ON loss_provision FROM airsettle_app;
    END IF;
END
$$;
