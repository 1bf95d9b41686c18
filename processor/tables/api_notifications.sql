-- A page of notifications, the newest first: by first_seen_at, then provider and id. With an id, a reference or a recipient, those that have it. Else
-- each provider and status is read by an index of its own order, so that a page reads few rows. What is overdue is looked for among the oldest 1000
-- open ones of each provider, as the overview counts it. OFFSET 0: what has a reference is looked up by it, and not searched for by time. Times of
-- the session's zone.
-- Columns: item json, first_seen_at as the cursor has it, provider, notification_id
-- $1 provider  $2 notification_id  $3 status  $4 code  $5 reference  $6 recipient_hash in hex  $7 since timestamptz  $8 overdue: yes: each may be NULL
-- $9 before timestamptz  $10 provider  $11 notification_id: what is behind this place  $12 at most how many
WITH RECURSIVE known (provider) AS (
  SELECT min(provider) FROM notification
  UNION ALL
  SELECT (SELECT min(n.provider) FROM notification n WHERE n.provider > known.provider) FROM known WHERE provider IS NOT NULL
), named (provider) AS (
  SELECT $1::text WHERE $1::text IS NOT NULL
  UNION ALL
  SELECT provider FROM known WHERE $1::text IS NULL AND provider IS NOT NULL
), looked_up AS (
  SELECT n.* FROM named CROSS JOIN LATERAL (SELECT * FROM notification WHERE provider = named.provider AND notification_id = $2::text OFFSET 0) AS n
  WHERE $2::text IS NOT NULL
  UNION ALL
  SELECT n.* FROM (SELECT * FROM notification WHERE reference = $5::text OFFSET 0) AS n
  WHERE $2::text IS NULL AND $5::text IS NOT NULL
  UNION ALL
  SELECT n.* FROM (SELECT * FROM notification WHERE recipient_hash = decode($6::text, 'hex') OFFSET 0) AS n
  WHERE $2::text IS NULL AND $5::text IS NULL AND $6::text IS NOT NULL
), page AS (
  (SELECT n.* FROM looked_up AS n
   WHERE ($1::text IS NULL OR n.provider = $1::text) AND ($3::text IS NULL OR n.status = $3::text) AND ($4::text IS NULL OR n.code = $4::text)
     AND ($5::text IS NULL OR n.reference = $5::text) AND ($6::text IS NULL OR n.recipient_hash = decode($6::text, 'hex'))
     AND n.first_seen_at >= coalesce($7::timestamptz, '-infinity') AND ($8::text IS NULL OR n.status = 'PENDING' AND n.due_at <= now())
     AND (n.first_seen_at, n.provider, n.notification_id) < ($9::timestamptz, $10::text, $11::text)
   ORDER BY n.first_seen_at DESC, n.provider DESC, n.notification_id DESC LIMIT $12::bigint)
  UNION ALL
  (SELECT n.* FROM named CROSS JOIN LATERAL (
     (SELECT n.* FROM unnest(ARRAY['PENDING', 'DEAD_LETTER']) AS s (status) CROSS JOIN LATERAL (
        SELECT n.* FROM notification n
        WHERE n.provider = named.provider AND n.status = s.status AND n.status IN ('PENDING', 'DEAD_LETTER')
          AND ($4::text IS NULL OR n.code = $4::text) AND n.first_seen_at >= coalesce($7::timestamptz, '-infinity')
          AND n.first_seen_at <= $9::timestamptz AND (n.first_seen_at, n.provider, n.notification_id) < ($9::timestamptz, $10::text, $11::text)
        ORDER BY n.first_seen_at DESC, n.notification_id DESC LIMIT $12::bigint) AS n
      WHERE s.status = coalesce($3::text, s.status))
     UNION ALL
     (SELECT n.* FROM notification n
      WHERE n.provider = named.provider AND n.status = 'SENT' AND coalesce($3::text, 'SENT') = 'SENT' AND $4::text IS NULL
        AND n.first_seen_at >= coalesce($7::timestamptz, '-infinity')
        AND n.first_seen_at <= $9::timestamptz AND (n.first_seen_at, n.provider, n.notification_id) < ($9::timestamptz, $10::text, $11::text)
      ORDER BY n.first_seen_at DESC, n.notification_id DESC LIMIT $12::bigint)
   ) AS n
   WHERE $2::text IS NULL AND $5::text IS NULL AND $6::text IS NULL AND $8::text IS NULL
   ORDER BY n.first_seen_at DESC, n.provider DESC, n.notification_id DESC LIMIT $12::bigint)
  UNION ALL
  (SELECT n.* FROM named CROSS JOIN LATERAL (
     SELECT * FROM notification WHERE provider = named.provider AND status = 'PENDING' ORDER BY first_seen_at, notification_id LIMIT 1000
   ) AS n
   WHERE $2::text IS NULL AND $5::text IS NULL AND $6::text IS NULL AND $8::text IS NOT NULL AND coalesce($3::text, 'PENDING') = 'PENDING'
     AND n.due_at <= now() AND ($4::text IS NULL OR n.code = $4::text) AND n.first_seen_at >= coalesce($7::timestamptz, '-infinity')
     AND (n.first_seen_at, n.provider, n.notification_id) < ($9::timestamptz, $10::text, $11::text)
   ORDER BY n.first_seen_at DESC, n.provider DESC, n.notification_id DESC LIMIT $12::bigint)
)
SELECT json_build_object('provider', provider, 'notification_id', notification_id, 'status', status, 'outcome', outcome, 'code', code,
                         'reason', left(reason, 2000), 'contradicted_by', contradicted_by, 'channel', channel, 'recipient', recipient,
                         'recipient_hash', encode(recipient_hash, 'hex'), 'reference', reference, 'accepted_at', accepted_at,
                         'resolved_at', resolved_at, 'unconfirmed_at', unconfirmed_at, 'due_at', due_at, 'expires_at', expires_at,
                         'first_seen_at', first_seen_at, 'updated_at', updated_at),
       to_char(first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), provider, notification_id
FROM page
ORDER BY first_seen_at DESC, provider DESC, notification_id DESC LIMIT $12::bigint
