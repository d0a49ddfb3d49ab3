-- Who pays for time: what an agency and an airline are charged, what tax and loss the fee carries, and whether open memos reserve limit. Factors
-- as decimal text: of a year for what is financed, of a day for the late fee. An older version has none of it.
ALTER TABLE contract ADD COLUMN free_days BIGINT NOT NULL DEFAULT 0 CHECK (free_days BETWEEN 0 AND 365);
ALTER TABLE contract ADD COLUMN financing_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN late_fee_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN airline_financing_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN vat_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN expected_loss_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN channel_cost_rate TEXT NOT NULL DEFAULT '0';
ALTER TABLE contract ADD COLUMN open_memos TEXT NOT NULL DEFAULT 'shown' CHECK (open_memos IN ('shown', 'reserved'));
ALTER TABLE contract ADD COLUMN approval_id BIGINT;
