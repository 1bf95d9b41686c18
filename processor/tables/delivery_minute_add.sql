-- $1 minute timestamptz[]  $2 provider text[]  $3 endpoint text[]  $4 outcome text[]  $5 partition int[]  $6 records bigint[]
-- $7 last_at timestamptz[]
INSERT INTO delivery_minute AS d (minute, provider, endpoint, outcome, partition, records, last_at)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::timestamptz[])
ON CONFLICT (minute, provider, endpoint, outcome, partition) DO UPDATE
SET records = d.records + excluded.records, last_at = greatest(d.last_at, excluded.last_at)
