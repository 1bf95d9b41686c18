-- outside of a transaction
-- An application asks by its own number, for example that of an order.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_reference ON notification (reference) WHERE reference IS NOT NULL;

COMMENT ON INDEX notification_reference IS 'All notifications with one reference.';
