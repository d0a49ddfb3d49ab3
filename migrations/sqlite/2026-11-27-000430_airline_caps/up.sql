-- How much an airline may owe the platform before it is not paid ahead any more. The last version that has begun holds.
CREATE TABLE airline_cap (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    cap_minor INTEGER NOT NULL CHECK (cap_minor >= 0),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX airline_cap_airline ON airline_cap (airline_id, currency, id);

-- The highest alarm that was given and not taken back, in per cent of the cap; a row per airline and currency.
CREATE TABLE airline_alarm (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    percent INTEGER NOT NULL CHECK (percent IN (0, 75, 90, 100)),
    UNIQUE (airline_id, currency)
) STRICT;

-- Until when an advance waits because its airline owes too much; kept when it has left.
ALTER TABLE advance ADD COLUMN waits_until TEXT;
