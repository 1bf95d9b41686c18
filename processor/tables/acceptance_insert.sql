-- New acceptances only, of notifications that may have some; what is already there is left alone and not returned.
-- $1 acceptance_id uuid[]  $2 provider text[]  $3 notification_id text[]  $4 registration jsonb[]  $5 recipient text[]
-- $6 recipient_hash bytea[]  $7 accepted_at timestamptz[]  $8 received_at timestamptz[]  $9 event_id uuid[]  $10 endpoint text[]
-- $11 source_partition int[]  $12 source_offset bigint[]
INSERT INTO acceptance (acceptance_id, provider, notification_id, registration, recipient, recipient_hash, accepted_at,
                        received_at, event_id, endpoint, source_partition, source_offset)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::bytea[], $7::timestamptz[],
                     $8::timestamptz[], $9::uuid[], $10::text[], $11::integer[], $12::bigint[])
ON CONFLICT (provider, notification_id, acceptance_id) DO NOTHING
RETURNING acceptance_id
