-- Only SQLite keeps these rows in another order; see there.
SELECT 1;
