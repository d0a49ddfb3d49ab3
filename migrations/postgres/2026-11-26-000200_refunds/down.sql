DROP TABLE airline_take_back;
