-- outside of a transaction
-- The watch looks once a second, provider by provider: one that reports nothing at all must not hide what is due elsewhere.
-- bears: 1

CREATE INDEX CONCURRENTLY IF NOT EXISTS notification_due ON notification (provider, next_look_at) WHERE next_look_at IS NOT NULL;

COMMENT ON INDEX notification_due IS 'The open ones of a provider by the time at which the watch looks at them.';
