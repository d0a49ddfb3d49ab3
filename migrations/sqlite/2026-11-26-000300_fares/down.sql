DROP TABLE private_fare;
DROP TABLE offer_pricing;
