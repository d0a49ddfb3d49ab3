DROP TABLE agency_default;
