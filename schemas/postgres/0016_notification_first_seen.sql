-- outside of a transaction
-- Retention finds the old notifications by when they were first seen. That changes only when an event arrives that was received before
-- all others, so a write of a finished row adds nothing to this index. A BRIN index would not do: pages that retention has emptied are
-- filled with new rows, and the range of such pages keeps the oldest time that it ever had.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_first_seen ON notification (first_seen_at) WHERE status <> 'PENDING';

COMMENT ON INDEX notification_first_seen IS 'The resolved ones by when they were first seen; retention looks at the oldest.';
