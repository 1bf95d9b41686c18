-- outside of a transaction
-- The open ones that no program since schema version 14 has written. The watch looks at them by due_at, and its event fills next_look_at.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_not_looked ON notification (provider, due_at) WHERE status = 'PENDING' AND next_look_at IS NULL;

COMMENT ON INDEX notification_not_looked IS 'The open ones without next_look_at, by deadline.';
