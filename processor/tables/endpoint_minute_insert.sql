-- What ingress counted. A record that is read again changes nothing.
-- $1 minute timestamptz[]  $2 endpoint text[]  $3 instance text[]  $4 event_id uuid[]  $5 provider text[]  $6 calls  $7 good  $8 refused bigint[]
-- $9 refused_by jsonb[]  $10 failed  $11 failed_in_a_row  $12 spooled bigint[]  $13 spooled_since timestamptz[]  $14 leaving bigint[] (1: true)
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row,
                             spooled, spooled_since, leaving)
SELECT minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, spooled_since,
       leaving = 1
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::jsonb[],
            $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::bigint[])
     AS given (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled,
               spooled_since, leaving)
ORDER BY minute, endpoint, event_id
ON CONFLICT (minute, endpoint, event_id) DO NOTHING
