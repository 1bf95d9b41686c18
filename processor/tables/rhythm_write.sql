-- $1 endpoint text[]  $2 provider text[]  $3 state jsonb[]  $4 floor jsonb[]  $5 minute timestamptz[]  $6 standing text[]
-- $7 speaks_from timestamptz[]  $8 horizon timestamptz[]  $9 score in thousandths  $10 bar in thousandths bigint[]
INSERT INTO rhythm (endpoint, provider, state, floor, minute, standing, speaks_from, horizon, score, bar)
SELECT endpoint, provider, state, floor, minute, standing, speaks_from, horizon, score / 1000.0, bar / 1000.0
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $5::timestamptz[], $6::text[], $7::timestamptz[], $8::timestamptz[],
            $9::bigint[], $10::bigint[])
     AS given (endpoint, provider, state, floor, minute, standing, speaks_from, horizon, score, bar)
ON CONFLICT (endpoint) DO UPDATE
SET provider = excluded.provider, state = excluded.state, floor = excluded.floor, minute = excluded.minute, standing = excluded.standing,
    speaks_from = excluded.speaks_from, horizon = excluded.horizon, score = excluded.score, bar = excluded.bar
