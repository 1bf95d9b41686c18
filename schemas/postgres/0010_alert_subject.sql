-- outside of a transaction
-- Alerts are looked for by what they are about: all of one notification.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS alert_subject ON alert (provider, subject);

COMMENT ON INDEX alert_subject IS 'All alerts about one notification.';
