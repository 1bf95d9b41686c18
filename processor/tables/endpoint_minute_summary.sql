-- Each endpoint that ingress or a receipt named within 14 days: name, whether it is configured (its last record is as young as the last
-- of all, give or take 5 minutes), of the last hour calls, refused, failed and the refusals by check as text, the most first; the last
-- call and the last receipt as text, or NULL; the calls that got a 2xx in the minutes after the last refusal of that hour, and those
-- with that refusal's own minute
WITH minutes AS (
  SELECT endpoint, max(minute) AS last, max(minute) FILTER (WHERE calls > 0) AS last_call,
         coalesce(sum(calls) FILTER (WHERE minute > now() - interval '1 hour'), 0) AS calls,
         coalesce(sum(failed) FILTER (WHERE minute > now() - interval '1 hour'), 0) AS failed
  FROM endpoint_minute
  WHERE minute > now() - interval '14 days'
  GROUP BY endpoint
), checks AS (
  SELECT endpoint, refusal.key AS check, sum(refusal.value::bigint) AS calls
  FROM endpoint_minute, jsonb_each_text(refused_by) AS refusal
  WHERE minute > now() - interval '1 hour'
  GROUP BY endpoint, refusal.key
), refused AS (
  SELECT endpoint, sum(calls) AS calls, string_agg(format('%s %s', checks.check, calls), ', ' ORDER BY calls DESC, checks.check) AS by_check
  FROM checks
  GROUP BY endpoint
), mended AS (
  SELECT endpoint, sum(good) FILTER (WHERE endpoint_minute.minute > last_refusal.minute) AS calls, sum(good) AS with_its_minute
  FROM endpoint_minute
  JOIN (SELECT endpoint, max(minute) AS minute FROM endpoint_minute WHERE minute > now() - interval '1 hour' AND refused > 0 GROUP BY endpoint)
    AS last_refusal USING (endpoint)
  WHERE endpoint_minute.minute >= last_refusal.minute
  GROUP BY endpoint
), receipts AS (
  SELECT endpoint, max(minute) AS last
  FROM delivery_minute
  WHERE minute > now() - interval '14 days' AND endpoint <> '' AND outcome IN ('delivered', 'failed', 'recipient_fault', 'account_fault', 'unconfirmed', 'repeated')
  GROUP BY endpoint
)
SELECT endpoint, coalesce(minutes.last > (SELECT max(last) FROM minutes) - interval '5 minutes', false), coalesce(minutes.calls, 0),
       coalesce(refused.calls, 0), coalesce(minutes.failed, 0), coalesce(refused.by_check, ''),
       to_char(minutes.last_call AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
       to_char(receipts.last AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), coalesce(mended.calls, 0),
       coalesce(mended.with_its_minute, 0)
FROM minutes
FULL JOIN receipts USING (endpoint)
LEFT JOIN refused USING (endpoint)
LEFT JOIN mended USING (endpoint)
ORDER BY endpoint COLLATE "C"
