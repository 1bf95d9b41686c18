-- outside of a transaction
-- Alerts are listed by time. The type comes first: nearly all of them are dead letters, among which the few others would be searched for.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS alert_raised ON alert (type, raised_at);

COMMENT ON INDEX alert_raised IS 'The alerts of one type, by time.';
