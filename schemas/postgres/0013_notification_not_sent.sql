-- outside of a transaction
-- Lists are of what is open or dead, page by page. Nine of ten notifications are SENT in the end: without them the index stays small, and the
-- write that resolves a notification adds nothing to it. Measured with 60,000 registered notifications and a receipt each: the resolving
-- writes made 669 bytes of WAL a row, and 794 if the index also had the SENT ones. None of these writes was HOT, before this index or with
-- it, since the indexes on the deadline and on updated_at change as well. Without any such index 35 % were HOT (fillfactor 80), but then
-- nothing would find what is overdue.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_not_sent ON notification (provider, status, first_seen_at, notification_id)
  WHERE status IN ('PENDING', 'DEAD_LETTER');

COMMENT ON INDEX notification_not_sent IS 'The open ones and the dead letters of a provider, by time. A query must name the status itself, not as a parameter.';
