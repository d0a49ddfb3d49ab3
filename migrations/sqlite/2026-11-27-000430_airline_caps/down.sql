-- Only a database in which none of this was used goes back.
ALTER TABLE advance DROP COLUMN waits_until;
DROP TABLE airline_alarm;
DROP TABLE airline_cap;
