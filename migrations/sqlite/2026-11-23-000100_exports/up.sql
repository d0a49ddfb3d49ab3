-- What was handed to somebody outside, and what it said. The content itself is made from the journal again and compared with its digest.
CREATE TABLE export_file (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('airline_day')),
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    day TEXT NOT NULL,
    row_count INTEGER NOT NULL CHECK (row_count >= 0),
    byte_count INTEGER NOT NULL CHECK (byte_count > 0),
    sha256 TEXT NOT NULL,
    totals TEXT NOT NULL,
    anchor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (kind, airline_id, day)
) STRICT;
