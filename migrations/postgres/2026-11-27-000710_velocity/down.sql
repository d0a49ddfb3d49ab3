-- Only a database in which none of this was used goes back.
DROP TABLE velocity_hit;
DROP TABLE velocity_rule;
