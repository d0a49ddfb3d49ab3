-- An offer priced again, appended; the latest one is what the offer costs. Ids of offers, passengers and flights stay what they were.
CREATE TABLE offer_pricing (
    id BIGINT NOT NULL PRIMARY KEY,
    offer_request_id BIGINT NOT NULL REFERENCES offer_request (id),
    offer_id BIGINT NOT NULL,
    offer TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX offer_pricing_request ON offer_pricing (offer_request_id, id);

-- What one agency pays instead of a published fare. A version is never changed; the next one under the same code takes its place.
CREATE TABLE private_fare (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    code TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('corporate', 'leisure', 'negotiated')),
    carrier TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    classes TEXT NOT NULL,
    adjustment TEXT NOT NULL CHECK (adjustment IN ('percent_off', 'amount_off', 'fixed')),
    percent BIGINT CHECK (percent BETWEEN 1 AND 99),
    amount_minor BIGINT CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    least_travellers BIGINT NOT NULL CHECK (least_travellers > 0),
    effective_from DATE NOT NULL,
    effective_until DATE,
    travel_from DATE,
    travel_until DATE,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (agency_id, code, version),
    CHECK ((adjustment = 'percent_off') = (percent IS NOT NULL)),
    CHECK ((adjustment = 'percent_off') = (amount_minor IS NULL))
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON offer_pricing, private_fare TO airsettle_app;
        REVOKE UPDATE, DELETE ON offer_pricing, private_fare FROM airsettle_app;
    END IF;
END
$$;
