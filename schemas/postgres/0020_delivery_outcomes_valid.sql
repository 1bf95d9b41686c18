-- Reads the table while others write to it.
-- bears: 5

ALTER TABLE delivery_minute VALIDATE CONSTRAINT delivery_minute_outcome_check;
