DROP TABLE event_feed;
DROP TABLE event_head;
DROP TABLE event_cursor;
DROP TABLE event;
