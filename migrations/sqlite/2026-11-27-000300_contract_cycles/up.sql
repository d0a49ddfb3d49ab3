-- How often an agency is billed, when what is due is moved, and what being late costs. Older contracts are half-monthly and charge nothing.
-- SQLite changes no CHECK: a column with the wider one takes the place of the other.
ALTER TABLE contract ADD COLUMN billing_rule TEXT NOT NULL DEFAULT 'half_monthly'
    CHECK (billing_rule IN ('daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly'));
UPDATE contract SET billing_rule = cycle_rule;
ALTER TABLE contract DROP COLUMN cycle_rule;
ALTER TABLE contract RENAME COLUMN billing_rule TO cycle_rule;
ALTER TABLE contract ADD COLUMN due_rule TEXT NOT NULL DEFAULT 'unmoved'
    CHECK (due_rule IN ('unmoved', 'next_working_day', 'previous_working_day'));
ALTER TABLE contract ADD COLUMN late_fee_minor INTEGER NOT NULL DEFAULT 0 CHECK (late_fee_minor >= 0);
ALTER TABLE contract ADD COLUMN financing_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN free_days INTEGER NOT NULL DEFAULT 0 CHECK (free_days BETWEEN 0 AND 365);
