-- outside of a transaction
-- Alerts are listed by time, those of one provider too. Type and provider come first: nearly all of them are dead letters, among which the few
-- others would be searched for. The empty provider stands for none. It takes the place of alert_raised: lists of alerts of older programs then
-- read the whole table, and give up after 2 s.
-- bears: 5

CREATE INDEX CONCURRENTLY IF NOT EXISTS alert_listed ON alert (type, (coalesce(provider, '')), raised_at);

DROP INDEX alert_raised;

COMMENT ON INDEX alert_listed IS 'The alerts of one type and provider, by time. A query must write the provider as the index does.';
