-- Only a database without tickets of more than four coupons goes back: their rows stop the change.
DROP TABLE coupon_event;
DROP TABLE coupon_status_line;
DROP TABLE coupon_status_file;
DROP TABLE ticket_document;
ALTER TABLE coupon DROP CONSTRAINT coupon_number_check;
ALTER TABLE coupon ADD CONSTRAINT coupon_number_check CHECK (number BETWEEN 1 AND 4);
