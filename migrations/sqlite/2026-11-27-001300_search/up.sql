-- Who flies, found without being readable: keyed digests of the beginnings of passengers' names. In this order one agency's newest come first, and
-- everybody's are read from the key alone. Nothing refers to a passenger from here: whoever removes a name knows it, and with it its digests.
CREATE TABLE name_token (
    token INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    passenger_id INTEGER NOT NULL,
    PRIMARY KEY (token, agency_id, passenger_id)
) STRICT, WITHOUT ROWID;

-- Up to which place of the operator's feed the names of orders are in it. From the beginning, so that earlier orders are found, too.
CREATE TABLE name_index (
    id INTEGER NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;
INSERT INTO name_index (id, position) VALUES (1, 0);

-- What else is typed at a desk: a price, the end of a number, a locator without its airline, the request that caused something.
CREATE INDEX ticket_price ON ticket (price_minor, id);
CREATE INDEX air_order_total ON air_order (total_minor, agency_id, id);
-- The last four of thirteen digits.
CREATE INDEX ticket_ending ON ticket (substr(number, 10), id);
CREATE INDEX air_order_reference ON air_order (booking_reference);
CREATE INDEX event_request ON event (request_id);
