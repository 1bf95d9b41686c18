-- What was counted, step by step, the newest first: records by what they said, and calls of the endpoints. 5000 rows of each at most;
-- `truncated` says that there are older ones. Times of the session's zone.
-- Columns: item json
-- $1 provider  $2 endpoint: each may be NULL  $3 step: minute, hour or day  $4 since timestamptz  $5 until timestamptz
WITH deliveries AS (
  SELECT date_trunc($3::text, minute) AS begins, provider, endpoint, outcome, sum(records)::bigint AS records
  FROM delivery_minute
  WHERE minute >= $4::timestamptz AND minute < $5::timestamptz
    AND ($1::text IS NULL OR provider = $1::text) AND ($2::text IS NULL OR endpoint = $2::text)
  GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4 LIMIT 5001
), endpoints AS (
  SELECT date_trunc($3::text, minute) AS begins, endpoint, provider, sum(calls)::bigint AS calls, sum(good)::bigint AS good,
         sum(refused)::bigint AS refused, sum(failed)::bigint AS failed
  FROM endpoint_minute
  WHERE minute >= $4::timestamptz AND minute < $5::timestamptz
    AND ($1::text IS NULL OR provider = $1::text) AND ($2::text IS NULL OR endpoint = $2::text)
  GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3 LIMIT 5001
)
SELECT json_build_object(
  'step', $3::text, 'since', $4::timestamptz, 'until', $5::timestamptz,
  'deliveries',
  (SELECT coalesce(json_agg(json_build_object('begins', begins, 'provider', nullif(provider, ''), 'endpoint', nullif(endpoint, ''),
                                              'outcome', outcome, 'records', records)), '[]')
   FROM (SELECT * FROM deliveries LIMIT 5000) AS d),
  'endpoints',
  (SELECT coalesce(json_agg(json_build_object('begins', begins, 'endpoint', endpoint, 'provider', provider, 'calls', calls, 'good', good,
                                              'refused', refused, 'failed', failed)), '[]')
   FROM (SELECT * FROM endpoints LIMIT 5000) AS e),
  'truncated', (SELECT count(*) > 5000 FROM deliveries) OR (SELECT count(*) > 5000 FROM endpoints))
