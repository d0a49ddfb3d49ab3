-- What happened, written in the commit of its cause: references only, no personal data. Ids of one node grow in commit order, those of different
-- nodes do not: the place of an event in the feeds is given when it is published. sequence counts the events of one object, from 1 without gaps.
CREATE TABLE event (
    node BIGINT NOT NULL,
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    agency_id BIGINT,
    airline_id BIGINT,
    facility_id BIGINT,
    refs TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (node, id),
    UNIQUE (object_id, sequence)
);

-- Up to which event of a node everything is published.
CREATE TABLE event_cursor (
    node BIGINT NOT NULL PRIMARY KEY,
    last_event_id BIGINT NOT NULL
);

-- Whoever publishes holds this row: positions are committed in their order.
CREATE TABLE event_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 0)
);
INSERT INTO event_head (id) VALUES (0);

-- A feed per organisation; organisation 0 is the operator's, which has every event.
CREATE TABLE event_feed (
    organisation_id BIGINT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    node BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, position)
);

CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_feed_no_change BEFORE UPDATE OR DELETE ON event_feed FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_feed_no_truncate BEFORE TRUNCATE ON event_feed FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON event, event_feed TO airsettle_app;
        GRANT SELECT, INSERT, UPDATE ON event_cursor TO airsettle_app;
        GRANT SELECT, UPDATE ON event_head TO airsettle_app;
        REVOKE UPDATE, DELETE ON event, event_feed FROM airsettle_app;
    END IF;
END
$$;
