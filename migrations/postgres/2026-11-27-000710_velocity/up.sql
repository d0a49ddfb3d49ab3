-- What is too much too quickly: the versions of the rules, and what has met one.

-- terms are JSON. The last version of a code that has begun holds.
CREATE TABLE velocity_rule (
    id BIGINT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    effective_from DATE NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('off', 'shadow', 'refuse', 'freeze')),
    terms TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (code, version)
);
CREATE TRIGGER velocity_rule_no_change BEFORE UPDATE OR DELETE ON velocity_rule
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER velocity_rule_no_truncate BEFORE TRUNCATE ON velocity_rule
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- order_id is the order that was sold all the same; none where it was refused. reached and most are tickets, or minor units of the currency.
CREATE TABLE velocity_hit (
    id BIGINT NOT NULL PRIMARY KEY,
    rule_id BIGINT NOT NULL REFERENCES velocity_rule (id),
    agency_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    route TEXT NOT NULL,
    order_id BIGINT,
    reached BIGINT NOT NULL,
    most BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX velocity_hit_agency ON velocity_hit (agency_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT ON velocity_rule, velocity_hit TO airsettle_app;
        REVOKE UPDATE, DELETE ON velocity_rule, velocity_hit FROM airsettle_app;
    END IF;
END
$$;
