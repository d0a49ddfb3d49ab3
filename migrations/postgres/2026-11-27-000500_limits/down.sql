DROP TABLE kill_switch;
DROP TABLE payout;
DROP TABLE limit_alert;
DROP TABLE limit_review;
DROP TABLE temporary_limit;
DROP TABLE guarantee;
ALTER TABLE agency DROP COLUMN alerted_percent;
ALTER TABLE agency DROP COLUMN frozen_scopes;
ALTER TABLE agency DROP COLUMN limit_terms;
