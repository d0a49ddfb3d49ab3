ALTER TABLE contract DROP COLUMN due_rule;
ALTER TABLE contract DROP CONSTRAINT contract_cycle_rule_check;
ALTER TABLE contract ADD CONSTRAINT contract_cycle_rule_check CHECK (cycle_rule IN ('half_monthly'));
