-- $1 run_id uuid  $2 provider text  $3 about text  $4 scope text  $5 started_at timestamptz  $6 questions bigint  $7 scheduled boolean
INSERT INTO ask_run (run_id, provider, about, scope, started_at, questions, scheduled)
VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::timestamptz, $6::bigint, $7::boolean)
