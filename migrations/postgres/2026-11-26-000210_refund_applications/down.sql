ALTER TABLE order_cancellation DROP COLUMN application_id;
DROP TABLE refund_evidence;
DROP TABLE attachment;
DROP TABLE refund_tax;
DROP TABLE refund_coupon;
DROP TABLE refund_ticket;
DROP TABLE refund_application;
