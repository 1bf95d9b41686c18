-- outside of a transaction
-- Lists of what has arrived, provider by provider and page by page. Retention finds the old ones by it, too. A write of a SENT row changes
-- none of its columns but in a correction. Rows of one time are a thousand at most, as many as a webhook has elements, so the id need not
-- be a column: with it the index would be three times as large.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_sent ON notification (provider, first_seen_at) WHERE status = 'SENT';

COMMENT ON INDEX notification_sent IS 'The SENT ones of a provider, by time. A query must name the status itself, not as a parameter.';
