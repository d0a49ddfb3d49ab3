-- Where an organisation wants to be told. secret and old_secret are kept under the master key, because they are used again.
CREATE TABLE webhook (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    agency_id BIGINT REFERENCES agency (id),
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'disabled', 'deleted')),
    secret BYTEA NOT NULL,
    old_secret BYTEA,
    old_secret_until TIMESTAMP,
    failing_since TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
);
CREATE INDEX webhook_organisation ON webhook (organisation_id, id);

-- One event for one webhook; made when the event is published. retried_since begins the time in which it is tried again. sequence is the event's: of
-- one object only the lowest one that is pending is due.
CREATE TABLE webhook_delivery (
    id BIGINT NOT NULL PRIMARY KEY,
    webhook_id BIGINT NOT NULL REFERENCES webhook (id),
    organisation_id BIGINT NOT NULL,
    node BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    due_at TIMESTAMP NOT NULL,
    retried_since TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP,
    UNIQUE (webhook_id, event_id),
    CHECK ((state = 'pending') = (done_at IS NULL))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'pending';
CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook_id, object_id, sequence) WHERE state = 'pending';
CREATE INDEX webhook_delivery_organisation ON webhook_delivery (organisation_id, id);
CREATE INDEX webhook_delivery_event ON webhook_delivery (event_id);

-- The log. An attempt whose process died has no row.
CREATE TABLE webhook_attempt (
    delivery_id BIGINT NOT NULL,
    attempt BIGINT NOT NULL CHECK (attempt > 0),
    at TIMESTAMP NOT NULL,
    latency_ms BIGINT NOT NULL CHECK (latency_ms >= 0),
    response_status BIGINT,
    response_excerpt TEXT,
    error TEXT,
    PRIMARY KEY (delivery_id, attempt)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE ON webhook TO airsettle_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery, webhook_attempt TO airsettle_app;
    END IF;
END
$$;
