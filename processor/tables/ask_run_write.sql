-- How far a run is, and that it has ended.
-- $1 run_id uuid  $2 not_before Unix milliseconds bigint, 0: NULL  $3 requests bigint  $4 found bigint  $5 nothing bigint  $6 differed bigint
-- $7 whether it has ended boolean
UPDATE ask_run
SET not_before = to_timestamp(nullif($2::bigint, 0) / 1000.0), requests = $3::bigint, found = $4::bigint, nothing = $5::bigint, differed = $6::bigint,
    ended_at = CASE WHEN $7::boolean THEN now() END
WHERE run_id = $1::uuid
