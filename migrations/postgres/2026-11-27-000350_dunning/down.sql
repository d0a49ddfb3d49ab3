DROP TABLE dunning_message;
DROP TABLE billing_contact;
