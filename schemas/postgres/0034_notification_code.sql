-- outside of a transaction
-- The messages that did not arrive for one reason. The codes of what has arrived are a few, so the index leaves them out. A write that
-- changes the code of such a row changes its status or its deadline too, and could not be HOT before.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_code ON notification (provider, status, code, first_seen_at, notification_id)
  WHERE status IN ('PENDING', 'DEAD_LETTER') AND code IS NOT NULL;

COMMENT ON INDEX notification_code IS 'The open ones and the dead letters of a provider with one code, by time. A query must name the status itself, not as a parameter.';
