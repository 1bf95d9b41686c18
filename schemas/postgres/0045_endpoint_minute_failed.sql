-- outside of a transaction
-- The watch adds up the failed calls of a day each minute, and most rows have none.
-- bears: 5

CREATE INDEX CONCURRENTLY IF NOT EXISTS endpoint_minute_failed ON endpoint_minute (minute) WHERE failed > 0;

COMMENT ON INDEX endpoint_minute_failed IS 'The minutes in which calls failed.';
