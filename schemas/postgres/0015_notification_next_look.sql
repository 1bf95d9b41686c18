-- outside of a transaction
-- The watch looks once a second at what has come due. A row that is resolved leaves this index.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_next_look ON notification (next_look_at) WHERE next_look_at IS NOT NULL;

COMMENT ON INDEX notification_next_look IS 'The open ones by the time at which the watch looks at them.';
