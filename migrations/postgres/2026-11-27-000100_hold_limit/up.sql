-- How many orders an agency may hold at a time without having paid them.
ALTER TABLE agency ADD COLUMN max_unpaid_holds BIGINT NOT NULL DEFAULT 50 CHECK (max_unpaid_holds BETWEEN 0 AND 10000);
