-- What the agency earns on a ticket, by rules; and the tier of an agency, which rules match on.

ALTER TABLE agency ADD COLUMN tier TEXT NOT NULL DEFAULT 'standard' CHECK (length(tier) BETWEEN 1 AND 20);
-- The tier at the sale.
ALTER TABLE air_order ADD COLUMN agency_tier TEXT NOT NULL DEFAULT 'standard';

-- A version of a rule; never changed. A condition that is NULL is met by everything. origin and destination are 'airport:PEK', 'city:BJS' or
-- 'country:CN'; booking_classes are letters in their order. rate belongs to the shares, amount_minor and currency to per_segment.
CREATE TABLE commission_rule (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from TEXT NOT NULL,
    agency_id INTEGER REFERENCES agency (id),
    agency_tier TEXT,
    airline_id INTEGER REFERENCES airline (id),
    carrier TEXT,
    origin TEXT,
    destination TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('one_way', 'both_ways')),
    booking_classes TEXT,
    passenger_type TEXT CHECK (passenger_type IN ('adult', 'child', 'infant')),
    sale_from TEXT,
    sale_until TEXT,
    travel_from TEXT,
    travel_until TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('fare_share', 'price_share', 'per_segment', 'zero', 'withdrawn')),
    rate TEXT,
    amount_minor INTEGER CHECK (amount_minor > 0),
    currency TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (code, version),
    CHECK (agency_id IS NULL OR agency_tier IS NULL),
    CHECK ((rate IS NOT NULL) = (kind IN ('fare_share', 'price_share'))),
    CHECK ((amount_minor IS NOT NULL) = (kind = 'per_segment') AND (currency IS NOT NULL) = (kind = 'per_segment'))
) STRICT;
CREATE TRIGGER commission_rule_no_update BEFORE UPDATE ON commission_rule
BEGIN SELECT RAISE(ABORT, 'commission_rule is append-only'); END;
CREATE TRIGGER commission_rule_no_delete BEFORE DELETE ON commission_rule
BEGIN SELECT RAISE(ABORT, 'commission_rule is append-only'); END;

-- How many times a rule was filed: whoever remembers rules sees in it that there are others. Its row is what filing locks.
CREATE TABLE commission_rule_book (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL CHECK (generation >= 0)
) STRICT;
INSERT INTO commission_rule_book (id, generation) VALUES (1, 0);

-- What each coupon earned, by which version of which rule; without one by the contract. Older tickets had only the contract: their commission is
-- distributed over the coupons by fare, the k-th part being the difference of the cumulative sums k and k-1.
ALTER TABLE coupon ADD COLUMN commission_rule_id INTEGER;
ALTER TABLE coupon ADD COLUMN commission_minor INTEGER NOT NULL DEFAULT 0 CHECK (commission_minor >= 0);
UPDATE coupon SET commission_minor = s.minor FROM (
    SELECT c.id AS id, CASE WHEN t.base_minor = 0 THEN CASE WHEN c.number = 1 THEN t.commission_minor ELSE 0 END
        ELSE t.commission_minor * SUM(c.base_minor) OVER upto / t.base_minor
           - t.commission_minor * (SUM(c.base_minor) OVER upto - c.base_minor) / t.base_minor END AS minor
    FROM coupon c JOIN ticket t ON t.id = c.ticket_id WINDOW upto AS (PARTITION BY c.ticket_id ORDER BY c.number)) s
WHERE coupon.id = s.id;
