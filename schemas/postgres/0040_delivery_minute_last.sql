-- outside of a transaction
-- When an endpoint last brought a receipt, however long ago that is. A row is added once a minute, and later writes of it change none of
-- these columns.
-- bears: 5

CREATE INDEX CONCURRENTLY IF NOT EXISTS delivery_minute_last ON delivery_minute (provider, endpoint, outcome, minute);

COMMENT ON INDEX delivery_minute_last IS 'The last minute of each counter.';
