DROP TABLE airline_change_segment;
DROP TABLE airline_change;
DROP TABLE schedule_change;
ALTER TABLE seat_bucket DROP COLUMN schedule_change_id;
