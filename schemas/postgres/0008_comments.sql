-- What the rows hold where the input was odd.
-- bears: 3

COMMENT ON COLUMN notification.accepted_at IS 'When the send API took it (earliest registration), by the registration; where that says a time in the future, or one older than the provider file''s expires_after_s, when ingress received the registration. NULL: never registered.';
COMMENT ON COLUMN receipt.element IS 'The provider''s element, its recipient masked, and numbers in its reason. A number of more than 300 digits, its exponent added to them, is a string of the same characters. The bytes as sent are in Kafka.';
