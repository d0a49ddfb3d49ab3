ALTER TABLE agency DROP COLUMN max_unpaid_holds;
