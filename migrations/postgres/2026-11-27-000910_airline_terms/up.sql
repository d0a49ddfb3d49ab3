-- When an airline is paid for a ticket is a term of its contract: at once, on the next working day, or so many days after the ticket's cycle.
ALTER TABLE contract ADD COLUMN airline_payment TEXT NOT NULL DEFAULT 'instant' CHECK (airline_payment IN ('instant', 't_plus_1', 'cycle'));
ALTER TABLE contract ADD COLUMN airline_payment_days BIGINT NOT NULL DEFAULT 0 CHECK (airline_payment_days BETWEEN 0 AND 365);

-- Who pays an advance: a bank line, client cash for a ticket from the wallet, or own money on the airline's terms. ordered_at is when its payment was ordered: at the
-- sale, or on its day.
ALTER TABLE advance ADD COLUMN funding TEXT NOT NULL DEFAULT 'line' CHECK (funding IN ('line', 'client', 'own'));
UPDATE advance SET funding = 'client' WHERE facility_id IS NULL;
-- An exchange on credit whose airline had everything already.
UPDATE advance SET funding = 'own' WHERE facility_id IS NULL
    AND EXISTS (SELECT 1 FROM ticket t JOIN air_order o ON o.id = t.order_id WHERE t.id = advance.ticket_id AND o.tender = 'credit');
ALTER TABLE advance ADD COLUMN ordered_at TIMESTAMP;
UPDATE advance SET ordered_at = sold_at;
CREATE INDEX advance_unordered ON advance (id) WHERE ordered_at IS NULL AND resolved_at IS NULL;
CREATE INDEX advance_own ON advance (currency) WHERE funding = 'own' AND resolved_at IS NULL;
