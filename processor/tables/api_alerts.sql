-- A page of alerts, the newest first: by raised_at, then id. Each type and provider is read by an index of its own order. Data of more than 32 KiB
-- is null. Times of the session's zone.
-- Columns: item json, raised_at as the cursor has it, alert_id
-- $1 type  $2 kind: the third word of the type  $3 provider  $4 since timestamptz: each may be NULL
-- $5 before timestamptz  $6 alert_id: what is behind this place  $7 at most how many
WITH RECURSIVE known (type, provider) AS (
  (SELECT type, coalesce(provider, '') FROM alert ORDER BY 1, 2 LIMIT 1)
  UNION ALL
  SELECT next.type, next.provider FROM known CROSS JOIN LATERAL (
    SELECT a.type, coalesce(a.provider, '') AS provider FROM alert a
    WHERE (a.type, coalesce(a.provider, '')) > (known.type, known.provider)
    ORDER BY a.type, coalesce(a.provider, '') LIMIT 1
  ) AS next
), named (type, provider) AS (
  SELECT type, provider FROM known
  WHERE ($1::text IS NULL OR type = $1::text) AND ($2::text IS NULL OR split_part(type, '.', 3) = $2::text)
    AND ($3::text IS NULL OR provider = $3::text)
), page AS (
  SELECT a.* FROM named CROSS JOIN LATERAL (
    SELECT a.* FROM alert a
    WHERE a.type = named.type AND coalesce(a.provider, '') = named.provider AND a.raised_at >= coalesce($4::timestamptz, '-infinity')
      AND a.raised_at <= $5::timestamptz AND (a.raised_at, a.alert_id) < ($5::timestamptz, $6::uuid)
    ORDER BY a.raised_at DESC, a.alert_id DESC LIMIT $7::bigint
  ) AS a
  ORDER BY a.raised_at DESC, a.alert_id DESC LIMIT $7::bigint
)
SELECT json_build_object('alert_id', alert_id, 'type', type, 'provider', provider, 'subject', subject, 'raised_at', raised_at,
                         'published', told, 'data', CASE WHEN length(data::text) <= 32768 THEN data END),
       to_char(raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), alert_id
FROM page
ORDER BY raised_at DESC, alert_id DESC
