-- The notifications whose deadline has passed, provider by provider, the oldest first. With `hold` only those that have expired. A deadline that
-- no program since schema version 14 has written is due_at. Where the provider is asked every so many seconds, those that have expired wait until
-- a round of asking which began after they were due, and at most so long before they expired, has ended; or until they expired before `given_up`.
-- Columns: provider, notification_id, deadline, expired int (1: yes; 0 also where it never expires), unasked int (1: it did not wait for that)
-- $1 provider text[]  $2 hold int[] (1: yes)  $3 until timestamptz[]  $4 at most how many bigint[]
-- $5 asked every so many seconds bigint[] (0: never)  $6 given_up timestamptz[] (NULL: none is)
SELECT p.provider, n.notification_id, n.deadline, coalesce(n.deadline >= n.expires_at, false)::integer AS expired,
       (p.every_s > 0 AND coalesce(n.deadline >= n.expires_at AND NOT n.asked, false))::integer AS unasked
FROM unnest($1::text[], $2::integer[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::timestamptz[])
       AS p (provider, hold, until, most, every_s, given_up),
LATERAL (SELECT coalesce(max(started_at), '-infinity') AS at FROM ask_run
         WHERE provider = p.provider AND scheduled AND ended_at IS NOT NULL) AS round,
LATERAL (
  (SELECT notification_id, next_look_at AS deadline, expires_at,
          round.at >= greatest(due_at, first_seen_at, expires_at - make_interval(secs => p.every_s)) AS asked
   FROM notification
   WHERE provider = p.provider AND next_look_at <= p.until AND (p.hold = 0 OR next_look_at >= expires_at)
     AND (p.every_s = 0 OR coalesce(next_look_at < expires_at, true) OR coalesce(expires_at <= p.given_up, false)
          OR round.at >= greatest(due_at, first_seen_at, expires_at - make_interval(secs => p.every_s)))
   ORDER BY next_look_at LIMIT p.most)
  UNION ALL
  (SELECT notification_id, due_at, expires_at, true FROM notification
   WHERE provider = p.provider AND status = 'PENDING' AND next_look_at IS NULL AND due_at <= p.until AND p.hold = 0
   ORDER BY due_at LIMIT p.most)
) AS n
