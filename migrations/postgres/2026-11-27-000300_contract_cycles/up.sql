-- How often an agency is billed, and when what is due is moved over holidays. Older contracts are half-monthly and move nothing.
ALTER TABLE contract DROP CONSTRAINT contract_cycle_rule_check;
ALTER TABLE contract ADD CONSTRAINT contract_cycle_rule_check
    CHECK (cycle_rule IN ('daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly'));
ALTER TABLE contract ADD COLUMN due_rule TEXT NOT NULL DEFAULT 'unmoved'
    CHECK (due_rule IN ('unmoved', 'next_working_day', 'previous_working_day'));
