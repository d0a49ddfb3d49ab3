-- Portable column set: INTEGER for money (minor units), ids and counters; TEXT for codes; TEXT for times, in UTC microseconds.
-- Foreign keys stand on the tables that people write; the rows of a sale are written together in one commit and
-- `airsettle verify` proves that they belong together.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Leases of node numbers: an id contains the number of the node that made it. high_water is the first millisecond
-- that the node has certainly not used.
CREATE TABLE node (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 0 AND 1023),
    holder TEXT NOT NULL,
    high_water INTEGER NOT NULL,
    leased_until TEXT NOT NULL
) STRICT;

CREATE TABLE organisation (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('operator', 'agency', 'airline', 'bank')),
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE agency (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    parent_id INTEGER REFERENCES agency (id),
    numeric_code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'closed')),
    tender_order TEXT NOT NULL CHECK (tender_order IN ('credit_then_wallet', 'wallet_only')),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX agency_organisation ON agency (organisation_id);

CREATE TABLE api_key (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    agency_id INTEGER REFERENCES agency (id),
    name TEXT NOT NULL,
    secret_digest BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX api_key_organisation ON api_key (organisation_id);

CREATE TABLE airline (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    iata_code TEXT NOT NULL UNIQUE,
    accounting_code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'stopped')),
    payee_account TEXT NOT NULL,
    payee_name TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- Ticket numbers that an airline has given us to issue: next_document is the first free one.
CREATE TABLE stock_range (
    id INTEGER NOT NULL PRIMARY KEY,
    airline_id INTEGER NOT NULL REFERENCES airline (id),
    first_document INTEGER NOT NULL CHECK (first_document >= 0),
    last_document INTEGER NOT NULL CHECK (last_document <= 9999999999),
    next_document INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CHECK (first_document <= next_document AND next_document <= last_document + 1)
) STRICT;
CREATE INDEX stock_range_airline ON stock_range (airline_id);

-- Terms between an agency, an airline (NULL: every airline without terms of its own) and the platform. A version is never changed.
CREATE TABLE contract (
    id INTEGER NOT NULL PRIMARY KEY,
    agency_id INTEGER NOT NULL REFERENCES agency (id),
    airline_id INTEGER REFERENCES airline (id),
    currency TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from TEXT NOT NULL,
    commission_rate TEXT NOT NULL,
    commission_base TEXT NOT NULL CHECK (commission_base IN ('price', 'fare')),
    fee_rate TEXT NOT NULL,
    tax_remitter TEXT NOT NULL CHECK (tax_remitter IN ('platform', 'airline')),
    cycle_rule TEXT NOT NULL CHECK (cycle_rule IN ('half_monthly')),
    payment_days INTEGER NOT NULL CHECK (payment_days BETWEEN 0 AND 365),
    clawback TEXT NOT NULL CHECK (clawback IN ('full', 'pro_rata', 'none')),
    fee_on_refund TEXT NOT NULL CHECK (fee_on_refund IN ('refunded', 'kept')),
    airline_return TEXT NOT NULL CHECK (airline_return IN ('set_off', 'repay_on_demand')),
    created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX contract_version ON contract (agency_id, COALESCE(airline_id, 0), currency, version);

-- How much an agency may sell for its deposit; versions by effective date, never changed.
CREATE TABLE limit_policy (
    id INTEGER NOT NULL PRIMARY KEY,
    currency TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from TEXT NOT NULL,
    deposit_multiplier TEXT NOT NULL,
    cap_minor INTEGER NOT NULL CHECK (cap_minor >= 0),
    created_at TEXT NOT NULL,
    UNIQUE (currency, version)
) STRICT;

CREATE TABLE facility (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL REFERENCES organisation (id),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    base_rate TEXT NOT NULL,
    margin_rate TEXT NOT NULL,
    day_count TEXT NOT NULL CHECK (day_count IN ('ACT/360', 'ACT/365F')),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    closed_reason TEXT,
    closed_at TEXT,
    max_unconfirmed INTEGER NOT NULL CHECK (max_unconfirmed > 0),
    max_unresolved_secs INTEGER NOT NULL CHECK (max_unresolved_secs > 0),
    created_at TEXT NOT NULL
) STRICT;

-- A node's share of a facility's limit. The row is what a sale locks; drawn and held stand on the loan account of the
-- same stripe.
CREATE TABLE facility_slice (
    id INTEGER NOT NULL PRIMARY KEY,
    facility_id INTEGER NOT NULL REFERENCES facility (id),
    stripe INTEGER NOT NULL CHECK (stripe >= 0),
    limit_minor INTEGER NOT NULL CHECK (limit_minor >= 0),
    unconfirmed INTEGER NOT NULL CHECK (unconfirmed >= 0),
    UNIQUE (facility_id, stripe)
) STRICT;

-- balance_minor is debit-positive: a liability's balance is negative. It is a cache with a proof: the fold of entries.
CREATE TABLE account (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    owner_id INTEGER NOT NULL,
    detail TEXT NOT NULL,
    currency TEXT NOT NULL,
    stripe INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    pending_minor INTEGER NOT NULL CHECK (pending_minor >= 0),
    version INTEGER NOT NULL CHECK (version >= 0),
    last_entry_id INTEGER NOT NULL,
    UNIQUE (owner_id, code, detail, currency, stripe)
) STRICT;

-- The entries of posting p are those with ids p+1 to p+entry_count.
CREATE TABLE posting (
    id INTEGER NOT NULL PRIMARY KEY,
    event TEXT NOT NULL,
    reference_id INTEGER NOT NULL,
    ledger_date TEXT NOT NULL,
    booked_at TEXT NOT NULL,
    contract_id INTEGER,
    actor_organisation_id INTEGER NOT NULL,
    actor_key_id INTEGER NOT NULL,
    entry_count INTEGER NOT NULL CHECK (entry_count >= 2),
    digest BLOB NOT NULL,
    UNIQUE (reference_id, event)
) STRICT;

-- amount_minor is debit-positive. previous_entry_id makes an account's statement readable by primary key alone.
CREATE TABLE entry (
    id INTEGER NOT NULL PRIMARY KEY,
    posting_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    balance_after_minor INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    previous_entry_id INTEGER NOT NULL,
    cycle TEXT
) STRICT;

CREATE TABLE hold (
    id INTEGER NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL,
    reference_id INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    posted_minor INTEGER NOT NULL CHECK (posted_minor BETWEEN 0 AND amount_minor),
    state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'partly_posted', 'voided', 'expired')),
    created_at TEXT NOT NULL,
    expires_at TEXT,
    resolved_at TEXT
) STRICT;
CREATE INDEX hold_pending ON hold (account_id) WHERE state = 'pending';

-- A chain per node, because ids grow in commit order within a node. head = SHA-256 over the previous head and the digests
-- of the postings first_posting_id to last_posting_id.
CREATE TABLE seal (
    node INTEGER NOT NULL,
    height INTEGER NOT NULL CHECK (height > 0),
    first_posting_id INTEGER NOT NULL,
    last_posting_id INTEGER NOT NULL,
    posting_count INTEGER NOT NULL CHECK (posting_count > 0),
    head BLOB NOT NULL,
    sealed_at TEXT NOT NULL,
    PRIMARY KEY (node, height)
) STRICT;

CREATE TABLE bank_receipt (
    id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    value_date TEXT NOT NULL,
    bank_reference TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL CHECK (purpose IN ('capital', 'deposit', 'wallet')),
    agency_id INTEGER REFERENCES agency (id),
    posting_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- outcome is the refusal (or the whole answer of a settlement write) to be repeated; fields holds a keyed digest per top-level field, so that a
-- conflict can name the field. Keys that a client sent begin with k:, business keys with b:.
CREATE TABLE idempotency_key (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    fields TEXT NOT NULL,
    resource_id INTEGER,
    status INTEGER,
    outcome TEXT,
    created_at TEXT NOT NULL,
    UNIQUE (organisation_id, key)
) STRICT;

-- The offers of request r are r+1+passengers onwards; they are immutable.
CREATE TABLE offer_request (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    passenger_count INTEGER NOT NULL,
    offer_count INTEGER NOT NULL,
    request TEXT NOT NULL,
    offers TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX offer_request_agency ON offer_request (agency_id, id);

-- Seats sold per flight, date and booking class; the id packs exactly that. A bucket without a row is unsold.
CREATE TABLE seat_bucket (
    id INTEGER NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL,
    sold INTEGER NOT NULL CHECK (sold >= 0 AND sold <= capacity)
) STRICT;

CREATE TABLE air_order (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    offer_id INTEGER NOT NULL,
    contract_id INTEGER NOT NULL,
    booking_reference TEXT NOT NULL,
    tender TEXT NOT NULL CHECK (tender IN ('credit', 'wallet')),
    currency TEXT NOT NULL,
    base_minor INTEGER NOT NULL,
    tax_minor INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    cycle TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (airline_id, booking_reference)
) STRICT;
CREATE INDEX air_order_agency ON air_order (agency_id, id);

-- sealed holds name, birth date and contact, encrypted with the person's own key.
CREATE TABLE passenger (
    id INTEGER NOT NULL PRIMARY KEY,
    order_id INTEGER NOT NULL,
    offer_passenger_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('adult', 'child', 'infant')),
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX passenger_order ON passenger (order_id);

-- Erasing a person means deleting this row.
CREATE TABLE person_key (
    passenger_id INTEGER NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE ticket (
    id INTEGER NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    order_id INTEGER NOT NULL,
    passenger_id INTEGER NOT NULL,
    agency_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    contract_id INTEGER NOT NULL,
    issued_at TEXT NOT NULL,
    issue_date TEXT NOT NULL,
    currency TEXT NOT NULL,
    base_minor INTEGER NOT NULL,
    tax_minor INTEGER NOT NULL,
    price_minor INTEGER NOT NULL,
    airline_minor INTEGER NOT NULL,
    authority_minor INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    fare_calculation TEXT NOT NULL,
    CHECK (price_minor = base_minor + tax_minor),
    CHECK (price_minor = airline_minor + authority_minor + commission_minor + fee_minor)
) STRICT;
CREATE INDEX ticket_order ON ticket (order_id);

CREATE TABLE ticket_tax (
    ticket_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    minor INTEGER NOT NULL,
    payee TEXT NOT NULL,
    remitter TEXT NOT NULL CHECK (remitter IN ('platform', 'airline')),
    PRIMARY KEY (ticket_id, code)
) STRICT;

CREATE TABLE coupon (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4),
    slice INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    flight_number INTEGER NOT NULL,
    aircraft TEXT NOT NULL,
    origin TEXT NOT NULL,
    destination TEXT NOT NULL,
    departing_at TEXT NOT NULL,
    arriving_at TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL,
    distance_km INTEGER NOT NULL,
    booking_class TEXT NOT NULL,
    cabin TEXT NOT NULL,
    fare_brand TEXT NOT NULL,
    fare_basis TEXT NOT NULL,
    base_minor INTEGER NOT NULL,
    checked_bag_kg INTEGER NOT NULL,
    seat_bucket_id INTEGER NOT NULL,
    seats INTEGER NOT NULL,
    status TEXT NOT NULL
) STRICT;
CREATE INDEX coupon_ticket ON coupon (ticket_id);

-- The payment of one ticket's airline leg: held -> sent -> confirmed | failed | unknown; failed -> held as the next attempt.
CREATE TABLE advance (
    id INTEGER NOT NULL PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    airline_id INTEGER NOT NULL,
    facility_id INTEGER,
    hold_id INTEGER,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'sent', 'unknown', 'failed', 'confirmed')),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    sold_at TEXT NOT NULL,
    sent_at TEXT,
    confirmed_at TEXT,
    credited_at TEXT,
    bank_reference TEXT,
    detail TEXT
) STRICT;
CREATE INDEX advance_ticket ON advance (ticket_id);
CREATE INDEX advance_unresolved ON advance (facility_id, id) WHERE state <> 'confirmed';

-- Attempts that are over; the one under way is the advance's own row.
CREATE TABLE advance_attempt (
    advance_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    sent_at TEXT,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (advance_id, attempt)
) STRICT;

CREATE TABLE outbox (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at TEXT NOT NULL,
    done_at TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_pending ON outbox (kind, due_at) WHERE done_at IS NULL;

CREATE TABLE audit_event (
    id INTEGER NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

-- Append-only: nobody changes or removes a booked row. recursive_triggers is ON, so that INSERT OR REPLACE cannot pass by either.
CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;
CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER seal_no_update BEFORE UPDATE ON seal BEGIN SELECT RAISE(ABORT, 'seal is append-only'); END;
CREATE TRIGGER seal_no_delete BEFORE DELETE ON seal BEGIN SELECT RAISE(ABORT, 'seal is append-only'); END;
-- Whose account it is never changes; balances do.
CREATE TRIGGER account_no_delete BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'account is append-only'); END;
CREATE TRIGGER account_identity BEFORE UPDATE OF id, code, owner_id, detail, currency, stripe ON account
BEGIN SELECT RAISE(ABORT, 'the identity of an account never changes'); END;
