-- What the providers reported since a minute, by minute and outcome. What has no endpoint was not called for by the provider: a registration,
-- or a receipt that we asked for, which does not show that its webhooks come.
-- Columns: provider, minute, outcome, records, last_at
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT provider, minute, outcome, sum(records)::bigint, max(last_at)
FROM delivery_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz AND provider <> '' AND (endpoint <> '' OR outcome IN ('taken', 'in_time'))
GROUP BY provider, minute, outcome
