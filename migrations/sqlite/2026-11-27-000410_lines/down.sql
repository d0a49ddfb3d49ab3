-- Only a database in which none of this was used goes back: what stands in these tables and columns is lost.
DROP TABLE facility_correction;
ALTER TABLE facility_accrual DROP COLUMN commitment_booked_minor;
ALTER TABLE facility_accrual DROP COLUMN commitment_corrected_scaled;
ALTER TABLE facility_accrual DROP COLUMN commitment_scaled;
ALTER TABLE facility_accrual DROP COLUMN commitment_rate_e8;
ALTER TABLE facility_accrual DROP COLUMN undrawn_minor;
ALTER TABLE facility_accrual DROP COLUMN corrected_scaled;
DROP TABLE facility_sublimit;
DROP TABLE facility_limit;
ALTER TABLE facility DROP COLUMN available_until;
ALTER TABLE facility DROP COLUMN available_from;
ALTER TABLE facility DROP COLUMN commitment_rate;
ALTER TABLE facility DROP COLUMN base_rate_name;
DROP TABLE base_rate;
