-- What a worker read from the quarantine topic. A record that is read again changes nothing; another record at the same place, of a topic that
-- was made anew, takes the row over.
-- $1 source_partition int[]  $2 source_offset bigint[]  $3 event_id uuid[]  $4 provider text[]  $5 endpoint text[]  $6 reason text[]
-- $7 received_at timestamptz[]  $8 size_bytes bigint[]
INSERT INTO quarantine AS q (source_partition, source_offset, event_id, provider, endpoint, reason, received_at, size_bytes)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])
              AS given (source_partition, source_offset, event_id, provider, endpoint, reason, received_at, size_bytes)
ORDER BY source_partition, source_offset
ON CONFLICT (source_partition, source_offset) DO UPDATE
SET event_id = excluded.event_id, provider = excluded.provider, endpoint = excluded.endpoint, reason = excluded.reason,
    received_at = excluded.received_at, size_bytes = excluded.size_bytes, redriven_at = NULL
WHERE (q.event_id, q.reason, q.size_bytes) IS DISTINCT FROM (excluded.event_id, excluded.reason, excluded.size_bytes)
