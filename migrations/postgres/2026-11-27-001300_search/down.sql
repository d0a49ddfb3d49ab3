DROP INDEX event_request;
DROP INDEX air_order_reference;
DROP INDEX ticket_ending;
DROP INDEX air_order_total;
DROP INDEX ticket_price;
DROP TABLE name_index;
DROP TABLE name_token;
