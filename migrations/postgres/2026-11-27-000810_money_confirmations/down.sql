DROP TABLE money_confirmation;
