-- A page of quarantined records, the newest first: by received_at, then place. Times of the session's zone.
-- Columns: item json, received_at as the cursor has it, source_partition, source_offset
-- $1 provider  $2 endpoint  $3 redriven: yes or no  $4 since timestamptz: each may be NULL
-- $5 before timestamptz  $6 source_partition  $7 source_offset: what is behind this place  $8 at most how many
SELECT json_build_object('partition', source_partition, 'offset', source_offset, 'event_id', event_id, 'provider', provider,
                         'endpoint', endpoint, 'reason', reason, 'received_at', received_at, 'size_bytes', size_bytes,
                         'redriven_at', redriven_at),
       to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), source_partition, source_offset
FROM quarantine
WHERE ($1::text IS NULL OR provider = $1::text) AND ($2::text IS NULL OR endpoint = $2::text)
  AND ($3::text IS NULL OR (redriven_at IS NOT NULL) = ($3::text = 'yes')) AND received_at >= coalesce($4::timestamptz, '-infinity')
  AND received_at <= $5::timestamptz
  AND (received_at, source_partition, source_offset) < ($5::timestamptz, $6::integer, $7::bigint)
ORDER BY received_at DESC, source_partition DESC, source_offset DESC LIMIT $8::bigint
