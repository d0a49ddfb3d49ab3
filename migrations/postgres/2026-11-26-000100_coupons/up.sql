-- What happens to coupons after the sale, and tickets of more than four of them.

-- A ticket has up to four consecutive numbers of four coupons each; its coupons are counted through.
ALTER TABLE coupon DROP CONSTRAINT coupon_number_check;
ALTER TABLE coupon ADD CONSTRAINT coupon_number_check CHECK (number BETWEEN 1 AND 16);

-- The numbers of a ticket behind its first one.
CREATE TABLE ticket_document (
    ticket_id BIGINT NOT NULL,
    document BIGINT NOT NULL CHECK (document BETWEEN 2 AND 4),
    number TEXT NOT NULL UNIQUE,
    PRIMARY KEY (ticket_id, document)
);

-- A file of coupon statuses: the same content of the same organisation is one file, whoever sends it again.
CREATE TABLE coupon_status_file (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    sha256 TEXT NOT NULL,
    line_count BIGINT NOT NULL CHECK (line_count > 0),
    done_count BIGINT NOT NULL CHECK (done_count BETWEEN 0 AND line_count),
    applied_count BIGINT NOT NULL CHECK (applied_count >= 0),
    already_count BIGINT NOT NULL CHECK (already_count >= 0),
    rejected_count BIGINT NOT NULL CHECK (rejected_count >= 0),
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    UNIQUE (organisation_id, sha256),
    CHECK (applied_count + already_count + rejected_count = done_count)
);

-- What became of each line; code says why one was rejected.
CREATE TABLE coupon_status_line (
    id BIGINT NOT NULL PRIMARY KEY,
    file_id BIGINT NOT NULL,
    line BIGINT NOT NULL CHECK (line > 1),
    ticket_number TEXT NOT NULL,
    coupon BIGINT NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'already', 'rejected')),
    code TEXT,
    UNIQUE (file_id, line),
    CHECK ((outcome = 'rejected') = (code IS NOT NULL))
);

-- Every change of a coupon's status after it was issued. happened_at is what the airline says, created_at when it was booked here.
CREATE TABLE coupon_event (
    id BIGINT NOT NULL PRIMARY KEY,
    coupon_id BIGINT NOT NULL,
    ticket_id BIGINT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('platform', 'airline', 'operator', 'file')),
    file_id BIGINT,
    actor_organisation_id BIGINT NOT NULL,
    actor_key_id BIGINT NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK (from_status <> to_status),
    CHECK ((source = 'file') = (file_id IS NOT NULL))
);
CREATE INDEX coupon_event_ticket ON coupon_event (ticket_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON ticket_document, coupon_status_line, coupon_event TO airsettle_app;
        GRANT SELECT, INSERT, UPDATE ON coupon_status_file TO airsettle_app;
        REVOKE UPDATE, DELETE ON ticket_document, coupon_status_line, coupon_event FROM airsettle_app;
        REVOKE DELETE ON coupon_status_file FROM airsettle_app;
    END IF;
END
$$;
