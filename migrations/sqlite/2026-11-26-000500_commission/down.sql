-- Only a database in which none of this was used goes back without a loss: which rule a ticket was sold under is forgotten.
ALTER TABLE coupon DROP COLUMN commission_minor;
ALTER TABLE coupon DROP COLUMN commission_rule_id;
DROP TABLE commission_rule_book;
DROP TABLE commission_rule;
ALTER TABLE air_order DROP COLUMN agency_tier;
ALTER TABLE agency DROP COLUMN tier;
