DROP TABLE cash_item;
DROP TABLE cash_proof;
