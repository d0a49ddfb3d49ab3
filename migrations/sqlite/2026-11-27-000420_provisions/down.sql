-- Only a database in which none of this was used goes back.
DROP TABLE loss_provision;
