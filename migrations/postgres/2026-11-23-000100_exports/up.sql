-- What was handed to somebody outside, and what it said. The content itself is made from the journal again and compared with its digest.
CREATE TABLE export_file (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('airline_day')),
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    day DATE NOT NULL,
    row_count BIGINT NOT NULL CHECK (row_count >= 0),
    byte_count BIGINT NOT NULL CHECK (byte_count > 0),
    sha256 TEXT NOT NULL,
    totals TEXT NOT NULL,
    anchor TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (kind, airline_id, day)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON export_file TO airsettle_app;
        REVOKE UPDATE, DELETE ON export_file FROM airsettle_app;
    END IF;
END
$$;
