-- How often an agency is billed, when what is due is moved, and what being late costs. Older contracts are half-monthly and charge nothing.
ALTER TABLE contract DROP CONSTRAINT contract_cycle_rule_check;
ALTER TABLE contract ADD CONSTRAINT contract_cycle_rule_check
    CHECK (cycle_rule IN ('daily', 'twice_weekly', 'weekly', 'half_monthly', 'monthly'));
ALTER TABLE contract ADD COLUMN due_rule TEXT NOT NULL DEFAULT 'unmoved'
    CHECK (due_rule IN ('unmoved', 'next_working_day', 'previous_working_day'));
ALTER TABLE contract ADD COLUMN late_fee_minor BIGINT NOT NULL DEFAULT 0 CHECK (late_fee_minor >= 0);
ALTER TABLE contract ADD COLUMN financing_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN free_days BIGINT NOT NULL DEFAULT 0 CHECK (free_days BETWEEN 0 AND 365);
