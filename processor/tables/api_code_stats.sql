-- What was counted by channel and code, step by step, the newest first, of a step the most records first. 5000 rows at most; `truncated` says that
-- there are older ones. Times of the session's zone.
-- Columns: item json
-- $1 provider  $2 endpoint: each may be NULL  $3 step: minute, hour or day  $4 since timestamptz  $5 until timestamptz
-- $6 channel  $7 code: each may be NULL  $8 the words of codes: {provider: {code: text}} jsonb
WITH codes AS (
  SELECT date_trunc($3::text, minute) AS begins, provider, endpoint, channel, code, outcome, sum(records)::bigint AS records
  FROM code_minute
  WHERE minute >= $4::timestamptz AND minute < $5::timestamptz
    AND ($1::text IS NULL OR provider = $1::text) AND ($2::text IS NULL OR endpoint = $2::text)
    AND ($6::text IS NULL OR channel = $6::text) AND ($7::text IS NULL OR code = $7::text)
  GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1 DESC, 7 DESC, 2, 3, 4, 5, 6 LIMIT 5001
)
SELECT json_build_object(
  'step', $3::text, 'since', $4::timestamptz, 'until', $5::timestamptz,
  'codes',
  (SELECT coalesce(json_agg(json_build_object('begins', begins, 'provider', provider, 'endpoint', nullif(endpoint, ''), 'channel', nullif(channel, ''),
                                              'code', nullif(code, ''), 'reason', $8::jsonb -> provider ->> code, 'outcome', outcome,
                                              'records', records)), '[]')
   FROM (SELECT * FROM codes LIMIT 5000) AS c),
  'truncated', (SELECT count(*) > 5000 FROM codes))
