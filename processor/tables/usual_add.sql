-- What an hour was like. An hour that is there stays as it is.
-- $1 hour timestamptz[]  $2 provider text[]  $3 taken bigint[]  $4 late bigint[]
INSERT INTO provider_hour (hour, provider, taken, late)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::bigint[])
ON CONFLICT (hour, provider) DO NOTHING
