-- All receipts of some candidates, each candidate's in the order in which they came.
-- $1 first number bigint  $2 last number bigint
SELECT c.number, r.outcome, r.code, r.element::text, r.received_at
FROM replay_candidate c JOIN receipt r USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
ORDER BY c.number, r.received_at, r.source_offset
