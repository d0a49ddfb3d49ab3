-- Only a database in which none of this was used goes back.
DROP INDEX bank_receipt_agency;
DROP INDEX refund_ticket_posted;
DROP INDEX order_cancellation_confirmed;
DROP INDEX ticket_issued_at;
ALTER TABLE agency DROP COLUMN caution;
DROP TABLE score;
DROP TABLE agency_day_part;
DROP TABLE agency_day;
DROP TABLE financial_review;
DROP TABLE risk_event;
DROP TABLE score_card;
