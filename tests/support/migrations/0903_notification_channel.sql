-- outside of a transaction
-- An index that a next version could add to a large table.
-- bears: 1
CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_channel ON notification (channel);
COMMENT ON INDEX notification_channel IS 'Of the next version.';
