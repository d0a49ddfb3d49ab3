-- The daily proof of cash: what the bank says a bank account held at the end of a day is what the ledger says, less what is named. bank_minor less
-- ledger_minor = unmatched receipts + bank fees - what is in transit + what is unexplained. Of a day whose statement could not be fetched only the error is
-- known, until it can.
CREATE TABLE cash_proof (
    id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL CHECK (account IN ('own', 'client')),
    currency TEXT NOT NULL,
    date TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proven', 'unexplained', 'unavailable')),
    ledger_minor INTEGER NOT NULL,
    bank_minor INTEGER NOT NULL,
    in_transit_minor INTEGER NOT NULL,
    unmatched_receipts_minor INTEGER NOT NULL,
    bank_fees_minor INTEGER NOT NULL,
    unexplained_minor INTEGER NOT NULL,
    last_entry_id INTEGER NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    proven_at TEXT,
    UNIQUE (account, currency, date),
    CHECK ((state = 'unavailable') = (error IS NOT NULL)),
    CHECK ((state = 'unavailable') = (proven_at IS NULL)),
    CHECK (state <> 'proven' OR unexplained_minor = 0)
) STRICT;

-- What only the ledger or only the bank has, from the day since on until it is cleared.
CREATE TABLE cash_item (
    id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('in_transit', 'unmatched_receipt', 'bank_fee', 'unknown_payment', 'other_amount')),
    side TEXT NOT NULL CHECK (side IN ('ledger', 'bank')),
    bank_reference TEXT NOT NULL,
    posting_id INTEGER,
    amount_minor INTEGER NOT NULL,
    since TEXT NOT NULL,
    cleared_on TEXT,
    CHECK ((posting_id IS NOT NULL) = (side = 'ledger'))
) STRICT;
CREATE INDEX cash_item_open ON cash_item (account, currency) WHERE cleared_on IS NULL;
CREATE INDEX cash_item_since ON cash_item (account, currency, since);
