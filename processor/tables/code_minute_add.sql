-- $1 minute timestamptz[]  $2 provider text[]  $3 endpoint text[]  $4 outcome text[]  $5 channel text[]  $6 code text[]  $7 partition int[]
-- $8 records bigint[]
INSERT INTO code_minute AS c (minute, provider, endpoint, outcome, channel, code, partition, records)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::bigint[])
ON CONFLICT (minute, provider, endpoint, outcome, channel, code, partition) DO UPDATE SET records = c.records + excluded.records
