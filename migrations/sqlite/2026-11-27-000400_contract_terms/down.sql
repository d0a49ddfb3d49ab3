-- Only a database in which none of this was used goes back: what a version says is lost.
ALTER TABLE contract DROP COLUMN approval_id;
ALTER TABLE contract DROP COLUMN open_memos;
ALTER TABLE contract DROP COLUMN channel_cost_rate;
ALTER TABLE contract DROP COLUMN expected_loss_rate;
ALTER TABLE contract DROP COLUMN vat_rate;
ALTER TABLE contract DROP COLUMN airline_financing_rate;
ALTER TABLE contract DROP COLUMN late_fee_rate;
ALTER TABLE contract DROP COLUMN financing_rate;
ALTER TABLE contract DROP COLUMN free_days;
