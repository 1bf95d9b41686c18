-- New receipts only, of notifications that may have some; what is already there is left alone and not returned.
-- $1 receipt_id uuid[]  $2 provider text[]  $3 notification_id text[]  $4 outcome text[]  $5 code text[]
-- $6 element jsonb[]  $7 received_at timestamptz[]  $8 event_id uuid[]  $9 endpoint text[]  $10 source_partition int[]
-- $11 source_offset bigint[]
INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, endpoint,
                     source_partition, source_offset)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[],
                     $8::uuid[], $9::text[], $10::integer[], $11::bigint[])
ON CONFLICT (provider, notification_id, receipt_id) DO NOTHING
RETURNING receipt_id
