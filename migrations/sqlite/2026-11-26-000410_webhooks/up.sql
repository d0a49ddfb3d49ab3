-- Where an organisation wants to be told. secret and old_secret are kept under the master key, because they are used again.
CREATE TABLE webhook (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    agency_id INTEGER REFERENCES agency (id),
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'disabled', 'deleted')),
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_secret_until TEXT,
    failing_since TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
) STRICT;
CREATE INDEX webhook_organisation ON webhook (organisation_id, id);

-- One event for one webhook; made when the event is published. retried_since begins the time in which it is tried again. sequence is the event's: of
-- one object only the lowest one that is pending is due.
CREATE TABLE webhook_delivery (
    id INTEGER NOT NULL PRIMARY KEY,
    webhook_id INTEGER NOT NULL REFERENCES webhook (id),
    organisation_id INTEGER NOT NULL,
    node INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at TEXT NOT NULL,
    retried_since TEXT NOT NULL,
    created_at TEXT NOT NULL,
    done_at TEXT,
    UNIQUE (webhook_id, event_id),
    CHECK ((state = 'pending') = (done_at IS NULL))
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'pending';
CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook_id, object_id, sequence) WHERE state = 'pending';
CREATE INDEX webhook_delivery_organisation ON webhook_delivery (organisation_id, id);
CREATE INDEX webhook_delivery_event ON webhook_delivery (event_id);

-- The log. An attempt whose process died has no row.
CREATE TABLE webhook_attempt (
    delivery_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    at TEXT NOT NULL,
    latency_ms INTEGER NOT NULL CHECK (latency_ms >= 0),
    response_status INTEGER,
    response_excerpt TEXT,
    error TEXT,
    PRIMARY KEY (delivery_id, attempt)
) STRICT, WITHOUT ROWID;
