-- Each alert once: a second one with the same id (the same fact, met again) is left alone.
-- $1 alert_id uuid[]  $2 type text[]  $3 provider text[]  $4 subject text[]  $5 data jsonb[]  $6 traceparent text[]
-- $7 raised_at timestamptz[]  $8 source_topic text[]  $9 source_partition int[]  $10 source_offset bigint[]  $11 source_event text[]
INSERT INTO alert (alert_id, type, provider, subject, data, traceparent, raised_at, source_topic, source_partition,
                   source_offset, source_event)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::timestamptz[],
                     $8::text[], $9::integer[], $10::bigint[], $11::text[])
ON CONFLICT (alert_id) DO NOTHING
