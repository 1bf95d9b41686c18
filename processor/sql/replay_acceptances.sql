-- The acceptances of some candidates that lie in the range, each candidate's in the order in which they came.
-- $1 first number bigint  $2 last number bigint
SELECT c.number, a.rejected, a.code, a.reason, a.channel, a.at, a.received_at
FROM replay_candidate c JOIN replay_acceptance a USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
ORDER BY c.number, a.received_at
