-- outside of a transaction
-- People ask by phone number. No write after the first moves a row in this index, unless another recipient is named.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_recipient ON notification (recipient_hash) WHERE recipient_hash IS NOT NULL;

COMMENT ON INDEX notification_recipient IS 'All notifications to one recipient.';
