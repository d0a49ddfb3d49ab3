-- What happened, written in the commit of its cause: references only, no personal data. Ids of one node grow in commit order, those of different
-- nodes do not: the place of an event in the feeds is given when it is published. sequence counts the events of one object, from 1 without gaps.
CREATE TABLE event (
    node INTEGER NOT NULL,
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    agency_id INTEGER,
    airline_id INTEGER,
    facility_id INTEGER,
    refs TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (node, id),
    UNIQUE (object_id, sequence)
) STRICT, WITHOUT ROWID;

-- Up to which event of a node everything is published.
CREATE TABLE event_cursor (
    node INTEGER NOT NULL PRIMARY KEY,
    last_event_id INTEGER NOT NULL
) STRICT;

-- Whoever publishes holds this row: positions are committed in their order.
CREATE TABLE event_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 0)
) STRICT;
INSERT INTO event_head (id) VALUES (0);

-- A feed per organisation; organisation 0 is the operator's, which has every event.
CREATE TABLE event_feed (
    organisation_id INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position > 0),
    node INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_feed_no_update BEFORE UPDATE ON event_feed BEGIN SELECT RAISE(ABORT, 'event_feed is append-only'); END;
CREATE TRIGGER event_feed_no_delete BEFORE DELETE ON event_feed BEGIN SELECT RAISE(ABORT, 'event_feed is append-only'); END;
