-- outside of a transaction
-- People ask by phone number, as in 0011_notification_recipient.sql.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_phone ON contact (phone_hash) WHERE phone_hash IS NOT NULL;

COMMENT ON INDEX contact_phone IS 'All contacts with one telephone number.';
