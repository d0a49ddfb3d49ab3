DROP TABLE ticket_exchange;
DROP TABLE order_change;
DROP TABLE order_change_request;
