-- A page of alerts, the newest first: by raised_at, then id. Each type is read by an index of its own order. Data of more than 32 KiB is null.
-- Times of the session's zone.
-- Columns: item json, raised_at as the cursor has it, alert_id
-- $1 type  $2 since timestamptz: each may be NULL
-- $3 before timestamptz  $4 alert_id: what is behind this place  $5 at most how many
WITH RECURSIVE known (type) AS (
  SELECT min(type) FROM alert
  UNION ALL
  SELECT (SELECT min(a.type) FROM alert a WHERE a.type > known.type) FROM known WHERE type IS NOT NULL
), named (type) AS (
  SELECT $1::text WHERE $1::text IS NOT NULL
  UNION ALL
  SELECT type FROM known WHERE $1::text IS NULL AND type IS NOT NULL
), page AS (
  SELECT a.* FROM named CROSS JOIN LATERAL (
    SELECT a.* FROM alert a
    WHERE a.type = named.type AND a.raised_at >= coalesce($2::timestamptz, '-infinity')
      AND a.raised_at <= $3::timestamptz AND (a.raised_at, a.alert_id) < ($3::timestamptz, $4::uuid)
    ORDER BY a.raised_at DESC, a.alert_id DESC LIMIT $5::bigint
  ) AS a
  ORDER BY a.raised_at DESC, a.alert_id DESC LIMIT $5::bigint
)
SELECT json_build_object('alert_id', alert_id, 'type', type, 'provider', provider, 'subject', subject, 'raised_at', raised_at,
                         'published', told, 'data', CASE WHEN length(data::text) <= 32768 THEN data END),
       to_char(raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), alert_id
FROM page
ORDER BY raised_at DESC, alert_id DESC
