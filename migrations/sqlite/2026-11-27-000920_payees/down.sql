DROP INDEX claim_settlement_advance;
ALTER TABLE advance DROP COLUMN payee_change_id;
DROP TABLE payee_change;
