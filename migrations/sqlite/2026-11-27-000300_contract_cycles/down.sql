ALTER TABLE contract DROP COLUMN due_rule;
ALTER TABLE contract ADD COLUMN billing_rule TEXT NOT NULL DEFAULT 'half_monthly' CHECK (billing_rule IN ('half_monthly'));
UPDATE contract SET billing_rule = cycle_rule;
ALTER TABLE contract DROP COLUMN cycle_rule;
ALTER TABLE contract RENAME COLUMN billing_rule TO cycle_rule;
