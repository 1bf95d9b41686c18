-- What the providers reported since a minute, by minute and outcome. A registration that is repeated has no endpoint, and is no receipt.
-- Columns: provider, minute, outcome, records, last_at
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT provider, minute, outcome, sum(records)::bigint, max(last_at)
FROM delivery_minute
WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz AND provider <> '' AND (outcome <> 'repeated' OR endpoint <> '')
GROUP BY provider, minute, outcome
