-- How much an airline may owe the platform before it is not paid ahead any more. The last version that has begun holds.
CREATE TABLE airline_cap (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    effective_from DATE NOT NULL,
    cap_minor BIGINT NOT NULL CHECK (cap_minor >= 0),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX airline_cap_airline ON airline_cap (airline_id, currency, id);

-- The highest alarm that was given and not taken back, in per cent of the cap; a row per airline and currency.
CREATE TABLE airline_alarm (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    currency TEXT NOT NULL,
    percent BIGINT NOT NULL CHECK (percent IN (0, 75, 90, 100)),
    UNIQUE (airline_id, currency)
);

-- Until when an advance waits because its airline owes too much; kept when it has left.
ALTER TABLE advance ADD COLUMN waits_until TIMESTAMP;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON airline_cap, airline_alarm TO airsettle_app;
        REVOKE UPDATE, DELETE ON airline_cap, airline_alarm FROM airsettle_app;
        GRANT UPDATE (percent) ON airline_alarm TO airsettle_app;
    END IF;
END
$$;
