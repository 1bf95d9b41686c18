-- What the rows hold where the input was odd.
-- bears: 3

COMMENT ON COLUMN receipt.element IS 'The provider''s element, its recipient masked, and numbers in its reason. A number of more than 300 digits, its exponent added to them, is a string of the same characters. The bytes as sent are in Kafka.';
