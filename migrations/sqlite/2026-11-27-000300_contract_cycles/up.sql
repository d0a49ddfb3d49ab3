-- How often an agency is billed, and when what is due is moved over holidays. Older contracts are half-monthly and move nothing.
-- SQLite changes no CHECK: a column with the wider one takes the place of the other.
ALTER TABLE contract ADD COLUMN billing_rule TEXT NOT NULL DEFAULT 'half_monthly'
    CHECK (billing_rule IN ('daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly'));
UPDATE contract SET billing_rule = cycle_rule;
ALTER TABLE contract DROP COLUMN cycle_rule;
ALTER TABLE contract RENAME COLUMN billing_rule TO cycle_rule;
ALTER TABLE contract ADD COLUMN due_rule TEXT NOT NULL DEFAULT 'unmoved'
    CHECK (due_rule IN ('unmoved', 'next_working_day', 'previous_working_day'));
