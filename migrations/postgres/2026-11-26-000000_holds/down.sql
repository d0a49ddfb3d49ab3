-- Only a database in which no order is held goes back: rows that the older schema cannot express stop the change.
DROP TABLE order_payment;
DROP TABLE held_seat;
DROP TABLE held_order;
ALTER TABLE air_order DROP CONSTRAINT air_order_issued_check;
ALTER TABLE air_order ALTER COLUMN contract_id SET NOT NULL, ALTER COLUMN tender SET NOT NULL, ALTER COLUMN cycle SET NOT NULL;
ALTER TABLE air_order DROP COLUMN issued_at;
