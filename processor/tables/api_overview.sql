-- How all of it is now, in one answer: the open incidents, the providers with their endpoints, and our own side. Counts of notifications end at
-- 1000. The providers are those with an endpoint, an open incident, open notifications, or records within three hours. Times of the session's zone.
-- Columns: item json
-- $1 the words of codes: {provider: {code: text}} jsonb
WITH RECURSIVE named (provider) AS (
  SELECT min(provider) FROM notification
  UNION ALL
  SELECT (SELECT min(n.provider) FROM notification n WHERE n.provider > named.provider) FROM named WHERE provider IS NOT NULL
), counted (provider, endpoint) AS (
  (SELECT provider, endpoint FROM delivery_minute ORDER BY provider, endpoint LIMIT 1)
  UNION ALL
  SELECT next.provider, next.endpoint FROM counted CROSS JOIN LATERAL (
    SELECT d.provider, d.endpoint FROM delivery_minute d WHERE (d.provider, d.endpoint) > (counted.provider, counted.endpoint)
    ORDER BY d.provider, d.endpoint LIMIT 1
  ) AS next
), opened AS MATERIALIZED (
  SELECT * FROM incident WHERE closed_at IS NULL LIMIT 100
), open_ones (provider, pending, overdue, oldest_at, dead) AS MATERIALIZED (
  SELECT named.provider, p.pending, p.overdue, p.oldest_at, d.dead
  FROM named
  CROSS JOIN LATERAL (
    SELECT count(*) AS pending, count(*) FILTER (WHERE due_at <= now()) AS overdue, min(first_seen_at) AS oldest_at
    FROM (SELECT due_at, first_seen_at FROM notification n WHERE n.provider = named.provider AND n.status = 'PENDING'
          ORDER BY first_seen_at LIMIT 1000) AS oldest
  ) AS p
  CROSS JOIN LATERAL (
    SELECT count(*) AS dead
    FROM (SELECT FROM notification n
          WHERE n.provider = named.provider AND n.status = 'DEAD_LETTER' AND first_seen_at >= now() - interval '1 day' LIMIT 1000) AS young
  ) AS d
  WHERE named.provider IS NOT NULL
), reports (provider, endpoint, receipt_at, other_at, answer_at) AS MATERIALIZED ( -- of the newest rows, since each partition has its own
  SELECT counted.provider, counted.endpoint,
         max(last_at) FILTER (WHERE counted.endpoint <> '' AND outcome <> 'other'),
         max(last_at) FILTER (WHERE counted.endpoint <> '' AND outcome = 'other'),
         max(last_at) FILTER (WHERE counted.endpoint = '' AND outcome <> 'repeated') -- a registration may be repeated, too
  FROM counted
  CROSS JOIN unnest(ARRAY['delivered', 'failed', 'recipient_fault', 'account_fault', 'unconfirmed', 'repeated', 'other']) AS o (outcome)
  CROSS JOIN LATERAL (
    SELECT coalesce(d.last_at, d.minute) AS last_at FROM delivery_minute d
    WHERE d.provider = counted.provider AND d.endpoint = counted.endpoint AND d.outcome = o.outcome
    ORDER BY d.minute DESC LIMIT 32
  ) AS newest
  WHERE counted.provider <> ''
  GROUP BY counted.provider, counted.endpoint
), begins (at) AS MATERIALIZED (
  SELECT date_bin('5 minutes', now(), 'epoch') - interval '175 minutes'
), traffic (provider, step, accepted, delivered, failed) AS MATERIALIZED (
  SELECT provider, floor(extract(epoch FROM minute - (SELECT at FROM begins)) / 300)::integer AS step,
         coalesce(sum(records) FILTER (WHERE outcome = 'accepted'), 0)::bigint, coalesce(sum(records) FILTER (WHERE outcome = 'delivered'), 0)::bigint,
         coalesce(sum(records) FILTER (WHERE outcome NOT IN ('accepted', 'delivered')), 0)::bigint
  FROM delivery_minute
  WHERE minute >= (SELECT at FROM begins) AND provider <> ''
    AND outcome IN ('accepted', 'delivered', 'failed', 'recipient_fault', 'account_fault', 'rejected', 'expired')
  GROUP BY provider, step
), failures (provider, channel, code, outcome, records) AS MATERIALIZED (
  SELECT provider, channel, code, outcome, sum(records)::bigint
  FROM code_minute
  WHERE minute >= now() - interval '1 hour' AND outcome IN ('failed', 'recipient_fault', 'account_fault', 'rejected')
  GROUP BY provider, channel, code, outcome
), latest (minute) AS MATERIALIZED ( -- the clock of an ingress may be ahead
  SELECT max(minute) FROM endpoint_minute WHERE minute <= now() + interval '2 minutes'
), ours (endpoint, provider) AS MATERIALIZED (
  SELECT endpoint, max(provider) FROM endpoint_minute
  WHERE minute > (SELECT minute FROM latest) - interval '5 minutes' AND minute <= (SELECT minute FROM latest)
  GROUP BY endpoint
), recent AS MATERIALIZED (
  SELECT * FROM endpoint_minute WHERE minute > now() - interval '15 minutes' AND minute <= now() + interval '2 minutes'
), refusals (endpoint, refused_by) AS MATERIALIZED (
  SELECT endpoint, json_object_agg("check", calls ORDER BY calls DESC, "check")
  FROM (SELECT endpoint, refusal.key AS "check", sum(refusal.value::bigint)::bigint AS calls
        FROM recent, jsonb_each_text(refused_by) AS refusal GROUP BY endpoint, refusal.key) AS checks
  GROUP BY endpoint
), endpoints (endpoint, provider, item) AS MATERIALIZED (
  SELECT ours.endpoint, ours.provider, json_build_object(
    'endpoint', ours.endpoint, 'healthy', NOT EXISTS (SELECT FROM opened WHERE opened.endpoint = ours.endpoint),
    'last_receipt_at', (SELECT max(receipt_at) FROM reports WHERE reports.endpoint = ours.endpoint),
    'last_other_at', (SELECT max(other_at) FROM reports WHERE reports.endpoint = ours.endpoint),
    'calls', coalesce(calls, 0), 'good', coalesce(good, 0), 'refused', coalesce(refused, 0),
    'refused_by', coalesce((SELECT refused_by FROM refusals WHERE refusals.endpoint = ours.endpoint), '{}'), 'failed', coalesce(failed, 0),
    'silence', (SELECT json_build_object('standing', standing, 'speaks_from', speaks_from, 'horizon', horizon,
                                         'floor', CASE WHEN (floor ->> 'floor.calls')::bigint > 0
                                                       THEN json_build_object('calls', floor -> 'floor.calls', 'within_s', floor -> 'floor.within_s') END)
                FROM rhythm WHERE rhythm.endpoint = ours.endpoint))
  FROM ours
  LEFT JOIN LATERAL (SELECT sum(calls)::bigint AS calls, sum(good)::bigint AS good, sum(refused)::bigint AS refused, sum(failed)::bigint AS failed
                     FROM recent WHERE recent.endpoint = ours.endpoint) AS sums ON true
), shown (provider) AS MATERIALIZED (
  SELECT provider FROM ours
  UNION SELECT provider FROM opened WHERE provider <> ''
  UNION SELECT provider FROM traffic
  UNION SELECT provider FROM open_ones WHERE pending > 0
  LIMIT 100
), instances AS MATERIALIZED (
  SELECT DISTINCT ON (instance) instance, leaving, spooled, spooled_since
  FROM recent WHERE minute > now() - interval '10 minutes'
  ORDER BY instance, minute DESC, leaving DESC
)
SELECT json_build_object(
  'at', now(),
  'incidents',
  (SELECT coalesce(json_agg(details || jsonb_build_object(
            'incident_id', incident_id, 'kind', kind, 'status', 'open', 'provider', nullif(provider, ''), 'endpoint', nullif(endpoint, ''),
            'scope', nullif(scope, ''), 'since', since, 'opened_at', opened_at, 'closed_at', closed_at, 'folded_overdue', folded)
            ORDER BY opened_at DESC, incident_id DESC), '[]') FROM opened),
  'providers',
  (SELECT coalesce(json_agg(json_build_object(
            'provider', shown.provider, 'healthy', NOT EXISTS (SELECT FROM opened WHERE opened.provider = shown.provider),
            'last_receipt_at', (SELECT max(receipt_at) FROM reports WHERE reports.provider = shown.provider),
            'last_other_at', (SELECT max(other_at) FROM reports WHERE reports.provider = shown.provider),
            'last_answer_at', (SELECT max(answer_at) FROM reports WHERE reports.provider = shown.provider),
            'has_contacts', EXISTS (SELECT FROM contact WHERE contact.provider = shown.provider),
            'pending', coalesce(pending, 0), 'overdue', coalesce(overdue, 0), 'oldest_pending_at', oldest_at, 'dead_letters', coalesce(dead, 0),
            'failures',
            (SELECT coalesce(json_agg(json_build_object('code', nullif(code, ''), 'channel', nullif(channel, ''),
                                                        'reason', $1::jsonb -> shown.provider ->> code, 'outcome', outcome, 'records', records)), '[]')
             FROM (SELECT * FROM failures WHERE failures.provider = shown.provider ORDER BY records DESC, code, channel, outcome LIMIT 5) AS most),
            'traffic',
            (SELECT json_build_object('since', (SELECT at FROM begins), 'step_s', 300,
                                      'accepted', json_agg(coalesce(accepted, 0) ORDER BY n), 'delivered', json_agg(coalesce(delivered, 0) ORDER BY n),
                                      'failed', json_agg(coalesce(failed, 0) ORDER BY n))
             FROM generate_series(0, 35) AS n LEFT JOIN traffic ON traffic.provider = shown.provider AND traffic.step = n),
            'endpoints',
            (SELECT coalesce(json_agg(item ORDER BY endpoint), '[]')
             FROM (SELECT * FROM endpoints WHERE endpoints.provider = shown.provider LIMIT 100) AS listed))
            ORDER BY shown.provider), '[]')
   FROM shown LEFT JOIN open_ones USING (provider)),
  'ingress',
  (SELECT json_build_object('reported_at', (SELECT minute + interval '1 minute' FROM latest), 'instances', count(*) FILTER (WHERE NOT leaving),
                            'spooled', coalesce(sum(spooled), 0)::bigint, 'spooled_since', min(spooled_since)) FROM instances),
  'front_door',
  (SELECT json_build_object('called_at', door_called_at, 'result', door_result, 'text', door_text, 'took_ms', door_ms,
                            'certificate_ends_at', certificate_ends_at) FROM watch_look WHERE one AND door_called_at IS NOT NULL),
  'watch',
  (SELECT json_build_object('instance', instance, 'leads_since', leads_since, 'looked_at', looked_at, 'known_until', known_until,
                            'hidden_partitions', hidden_partitions) FROM watch_look WHERE one),
  'quarantined',
  (SELECT count(*) FILTER (WHERE redriven_at IS NULL) FROM (SELECT redriven_at FROM quarantine ORDER BY received_at DESC LIMIT 1000) AS newest))
