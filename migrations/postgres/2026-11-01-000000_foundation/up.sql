-- Portable column set: BIGINT for money (minor units), ids and counters; TEXT for codes; TIMESTAMP in UTC microseconds.
-- Foreign keys stand on the tables that people write; the rows of a sale are written together in one commit and
-- `airsettle verify` proves that they belong together.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Leases of node numbers: an id contains the number of the node that made it. high_water is the first millisecond
-- that the node has certainly not used.
CREATE TABLE node (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id BETWEEN 0 AND 1023),
    holder TEXT NOT NULL,
    high_water BIGINT NOT NULL,
    leased_until TIMESTAMP NOT NULL
);

CREATE TABLE organisation (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('operator', 'agency', 'airline', 'bank')),
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE agency (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    parent_id BIGINT REFERENCES agency (id),
    numeric_code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'closed')),
    tender_order TEXT NOT NULL CHECK (tender_order IN ('credit_then_wallet', 'wallet_only')),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX agency_organisation ON agency (organisation_id);

CREATE TABLE api_key (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    agency_id BIGINT REFERENCES agency (id),
    name TEXT NOT NULL,
    secret_digest BYTEA NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX api_key_organisation ON api_key (organisation_id);

CREATE TABLE airline (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    iata_code TEXT NOT NULL UNIQUE,
    accounting_code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'stopped')),
    payee_account TEXT NOT NULL,
    payee_name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- Ticket numbers that an airline has given us to issue: next_document is the first free one.
CREATE TABLE stock_range (
    id BIGINT NOT NULL PRIMARY KEY,
    airline_id BIGINT NOT NULL REFERENCES airline (id),
    first_document BIGINT NOT NULL CHECK (first_document >= 0),
    last_document BIGINT NOT NULL CHECK (last_document <= 9999999999),
    next_document BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK (first_document <= next_document AND next_document <= last_document + 1)
);
CREATE INDEX stock_range_airline ON stock_range (airline_id);

-- Terms between an agency, an airline (NULL: every airline without terms of its own) and the platform. A version is never changed.
CREATE TABLE contract (
    id BIGINT NOT NULL PRIMARY KEY,
    agency_id BIGINT NOT NULL REFERENCES agency (id),
    airline_id BIGINT REFERENCES airline (id),
    currency TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    effective_from DATE NOT NULL,
    commission_rate TEXT NOT NULL,
    commission_base TEXT NOT NULL CHECK (commission_base IN ('price', 'fare')),
    fee_rate TEXT NOT NULL,
    tax_remitter TEXT NOT NULL CHECK (tax_remitter IN ('platform', 'airline')),
    cycle_rule TEXT NOT NULL CHECK (cycle_rule IN ('half_monthly')),
    payment_days BIGINT NOT NULL CHECK (payment_days BETWEEN 0 AND 365),
    clawback TEXT NOT NULL CHECK (clawback IN ('full', 'pro_rata', 'none')),
    fee_on_refund TEXT NOT NULL CHECK (fee_on_refund IN ('refunded', 'kept')),
    airline_return TEXT NOT NULL CHECK (airline_return IN ('set_off', 'repay_on_demand')),
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX contract_version ON contract (agency_id, COALESCE(airline_id, 0), currency, version);

-- How much an agency may sell for its deposit; versions by effective date, never changed.
CREATE TABLE limit_policy (
    id BIGINT NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    effective_from DATE NOT NULL,
    deposit_multiplier TEXT NOT NULL,
    cap_minor BIGINT NOT NULL CHECK (cap_minor >= 0),
    created_at TIMESTAMP NOT NULL,
    UNIQUE (currency, version)
);

CREATE TABLE facility (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    base_rate TEXT NOT NULL,
    margin_rate TEXT NOT NULL,
    day_count TEXT NOT NULL CHECK (day_count IN ('ACT/360', 'ACT/365F')),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    closed_reason TEXT,
    closed_at TIMESTAMP,
    max_unconfirmed BIGINT NOT NULL CHECK (max_unconfirmed > 0),
    max_unresolved_secs BIGINT NOT NULL CHECK (max_unresolved_secs > 0),
    created_at TIMESTAMP NOT NULL
);

-- A node's share of a facility's limit. The row is what a sale locks; drawn and held stand on the loan account of the
-- same stripe.
CREATE TABLE facility_slice (
    id BIGINT NOT NULL PRIMARY KEY,
    facility_id BIGINT NOT NULL REFERENCES facility (id),
    stripe BIGINT NOT NULL CHECK (stripe >= 0),
    limit_minor BIGINT NOT NULL CHECK (limit_minor >= 0),
    unconfirmed BIGINT NOT NULL CHECK (unconfirmed >= 0),
    UNIQUE (facility_id, stripe)
);

-- balance_minor is debit-positive: a liability's balance is negative. It is a cache with a proof: the fold of entries.
CREATE TABLE account (
    id BIGINT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    detail TEXT NOT NULL,
    currency TEXT NOT NULL,
    stripe BIGINT NOT NULL,
    balance_minor BIGINT NOT NULL,
    pending_minor BIGINT NOT NULL CHECK (pending_minor >= 0),
    version BIGINT NOT NULL CHECK (version >= 0),
    last_entry_id BIGINT NOT NULL,
    UNIQUE (owner_id, code, detail, currency, stripe)
);

-- The entries of posting p are those with ids p+1 to p+entry_count.
CREATE TABLE posting (
    id BIGINT NOT NULL PRIMARY KEY,
    event TEXT NOT NULL,
    reference_id BIGINT NOT NULL,
    ledger_date DATE NOT NULL,
    booked_at TIMESTAMP NOT NULL,
    contract_id BIGINT,
    actor_organisation_id BIGINT NOT NULL,
    actor_key_id BIGINT NOT NULL,
    entry_count BIGINT NOT NULL CHECK (entry_count >= 2),
    digest BYTEA NOT NULL,
    UNIQUE (reference_id, event)
);

-- amount_minor is debit-positive. previous_entry_id makes an account's statement readable by primary key alone.
CREATE TABLE entry (
    id BIGINT NOT NULL PRIMARY KEY,
    posting_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor <> 0),
    balance_after_minor BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    previous_entry_id BIGINT NOT NULL,
    cycle TEXT
);

CREATE TABLE hold (
    id BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    reference_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    posted_minor BIGINT NOT NULL CHECK (posted_minor BETWEEN 0 AND amount_minor),
    state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'partly_posted', 'voided', 'expired')),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    resolved_at TIMESTAMP
);
CREATE INDEX hold_pending ON hold (account_id) WHERE state = 'pending';

-- A chain per node, because ids grow in commit order within a node. head = SHA-256 over the previous head and the digests
-- of the postings first_posting_id to last_posting_id.
CREATE TABLE seal (
    node BIGINT NOT NULL,
    height BIGINT NOT NULL CHECK (height > 0),
    first_posting_id BIGINT NOT NULL,
    last_posting_id BIGINT NOT NULL,
    posting_count BIGINT NOT NULL CHECK (posting_count > 0),
    head BYTEA NOT NULL,
    sealed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (node, height)
);

CREATE TABLE bank_receipt (
    id BIGINT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date DATE NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('capital', 'deposit', 'wallet')),
    agency_id BIGINT REFERENCES agency (id),
    posting_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- outcome is the refusal (or the whole answer of a settlement write) to be repeated; fields holds a keyed digest per top-level field, so that a
-- conflict can name the field. Keys that a client sent begin with k:, business keys with b:.
CREATE TABLE idempotency_key (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    fields TEXT NOT NULL,
    resource_id BIGINT,
    status BIGINT,
    outcome TEXT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (organisation_id, key)
);

-- The offers of request r are r+1+passengers onwards; they are immutable.
CREATE TABLE offer_request (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    passenger_count BIGINT NOT NULL,
    offer_count BIGINT NOT NULL,
    request TEXT NOT NULL,
    offers TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX offer_request_agency ON offer_request (agency_id, id);

-- Seats sold per flight, date and booking class; the id packs exactly that. A bucket without a row is unsold.
CREATE TABLE seat_bucket (
    id BIGINT NOT NULL PRIMARY KEY,
    capacity BIGINT NOT NULL,
    sold BIGINT NOT NULL CHECK (sold >= 0 AND sold <= capacity)
);

CREATE TABLE air_order (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    offer_id BIGINT NOT NULL,
    contract_id BIGINT NOT NULL,
    booking_reference TEXT NOT NULL,
    tender TEXT NOT NULL CHECK (tender IN ('credit', 'wallet')),
    currency TEXT NOT NULL,
    base_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    cycle TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (airline_id, booking_reference)
);
CREATE INDEX air_order_agency ON air_order (agency_id, id);

-- sealed holds name, birth date and contact, encrypted with the person's own key.
CREATE TABLE passenger (
    id BIGINT NOT NULL PRIMARY KEY,
    order_id BIGINT NOT NULL,
    offer_passenger_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('adult', 'child', 'infant')),
    sealed BYTEA NOT NULL
);
CREATE INDEX passenger_order ON passenger (order_id);

-- Erasing a person means deleting this row.
CREATE TABLE person_key (
    passenger_id BIGINT NOT NULL PRIMARY KEY,
    wrapped BYTEA NOT NULL
);

CREATE TABLE ticket (
    id BIGINT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    order_id BIGINT NOT NULL,
    passenger_id BIGINT NOT NULL,
    agency_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    contract_id BIGINT NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    issue_date DATE NOT NULL,
    currency TEXT NOT NULL,
    base_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    price_minor BIGINT NOT NULL,
    airline_minor BIGINT NOT NULL,
    authority_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    fare_calculation TEXT NOT NULL,
    CHECK (price_minor = base_minor + tax_minor),
    CHECK (price_minor = airline_minor + authority_minor + commission_minor + fee_minor)
);
CREATE INDEX ticket_order ON ticket (order_id);

CREATE TABLE ticket_tax (
    ticket_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    minor BIGINT NOT NULL,
    payee TEXT NOT NULL,
    remitter TEXT NOT NULL CHECK (remitter IN ('platform', 'airline')),
    PRIMARY KEY (ticket_id, code)
);

CREATE TABLE coupon (
    id BIGINT NOT NULL PRIMARY KEY,
    ticket_id BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 4),
    slice BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    flight_number BIGINT NOT NULL,
    aircraft TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    departing_at TIMESTAMP NOT NULL,
    arriving_at TIMESTAMP NOT NULL,
    duration_minutes BIGINT NOT NULL,
    distance_km BIGINT NOT NULL,
    booking_class TEXT NOT NULL,
    cabin TEXT NOT NULL,
    fare_brand TEXT NOT NULL,
    fare_basis TEXT NOT NULL,
    base_minor BIGINT NOT NULL,
    checked_bag_kg BIGINT NOT NULL,
    seat_bucket_id BIGINT NOT NULL,
    seats BIGINT NOT NULL,
    status TEXT NOT NULL
);
CREATE INDEX coupon_ticket ON coupon (ticket_id);

-- The payment of one ticket's airline leg: held -> sent -> confirmed | failed | unknown; failed -> held as the next attempt.
CREATE TABLE advance (
    id BIGINT NOT NULL PRIMARY KEY,
    ticket_id BIGINT NOT NULL,
    airline_id BIGINT NOT NULL,
    facility_id BIGINT,
    hold_id BIGINT,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'sent', 'unknown', 'failed', 'confirmed')),
    attempt BIGINT NOT NULL CHECK (attempt > 0),
    sold_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    confirmed_at TIMESTAMP,
    credited_at TIMESTAMP,
    bank_reference TEXT,
    detail TEXT
);
CREATE INDEX advance_ticket ON advance (ticket_id);
CREATE INDEX advance_unresolved ON advance (facility_id, id) WHERE state <> 'confirmed';

-- Attempts that are over; the one under way is the advance's own row.
CREATE TABLE advance_attempt (
    advance_id BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    sent_at TIMESTAMP,
    ended_at TIMESTAMP NOT NULL,
    PRIMARY KEY (advance_id, attempt)
);

CREATE TABLE outbox (
    id BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX outbox_pending ON outbox (kind, due_at) WHERE done_at IS NULL;

CREATE TABLE audit_event (
    id BIGINT NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    action TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);

-- Append-only: nobody changes or removes a booked row, the owner included; the application's role has no such grant either.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER posting_no_change BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_no_change BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_no_change BEFORE UPDATE OR DELETE ON seal FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON seal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whose account it is never changes; balances do.
CREATE TRIGGER account_no_delete BEFORE DELETE ON account FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_identity BEFORE UPDATE OF id, code, owner_id, detail, currency, stripe ON account
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_no_truncate BEFORE TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The application's role: everything but schema changes, and on booked rows only reading and adding. `airsettle migrate` runs as the owner.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO airsettle_app;
        REVOKE UPDATE, DELETE ON posting, entry, seal FROM airsettle_app;
        REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM airsettle_app;
    END IF;
END
$$;
