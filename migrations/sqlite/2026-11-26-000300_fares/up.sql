-- An offer priced again, appended; the latest one is what the offer costs. Ids of offers, passengers and flights stay what they were.
CREATE TABLE offer_pricing (
    id INTEGER NOT NULL PRIMARY KEY,
    offer_request_id INTEGER NOT NULL REFERENCES offer_request (id),
    offer_id INTEGER NOT NULL,
    offer TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX offer_pricing_request ON offer_pricing (offer_request_id, id);

-- What one agency pays instead of a published fare. A version is never changed; the next one under the same code takes its place.
CREATE TABLE private_fare (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('corporate', 'leisure', 'negotiated')),
    carrier TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    classes TEXT NOT NULL,
    adjustment TEXT NOT NULL CHECK (adjustment IN ('percent_off', 'amount_off', 'fixed')),
    percent INTEGER CHECK (percent BETWEEN 1 AND 99),
    amount_minor INTEGER CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    least_travellers INTEGER NOT NULL CHECK (least_travellers > 0),
    effective_from TEXT NOT NULL,
    effective_until TEXT,
    travel_from TEXT,
    travel_until TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (agency_id, code, version),
    CHECK ((adjustment = 'percent_off') = (percent IS NOT NULL)),
    CHECK ((adjustment = 'percent_off') = (amount_minor IS NULL))
) STRICT;
