-- A night reads the days of very many agencies, one agency after the other: they are kept in that order, not in the order in which they were counted.
CREATE TABLE agency_day_2 (
    agency_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    tickets INTEGER NOT NULL,
    sold_minor INTEGER NOT NULL,
    credit_minor INTEGER NOT NULL,
    night INTEGER NOT NULL,
    near_departure INTEGER NOT NULL,
    voided INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    PRIMARY KEY (agency_id, day)
) STRICT, WITHOUT ROWID;
INSERT INTO agency_day_2 SELECT agency_id, day, tickets, sold_minor, credit_minor, night, near_departure, voided, refunded FROM agency_day;
DROP TABLE agency_day;
ALTER TABLE agency_day_2 RENAME TO agency_day;
CREATE INDEX agency_day_day ON agency_day (day);

CREATE TABLE agency_day_part_2 (
    agency_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('airline', 'route')),
    part TEXT NOT NULL,
    tickets INTEGER NOT NULL,
    PRIMARY KEY (agency_id, day, kind, part)
) STRICT, WITHOUT ROWID;
INSERT INTO agency_day_part_2 SELECT agency_id, day, kind, part, tickets FROM agency_day_part;
DROP TABLE agency_day_part;
ALTER TABLE agency_day_part_2 RENAME TO agency_day_part;
