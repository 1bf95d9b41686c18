-- Gives the receipts of some candidates today's outcome and code.
-- $1 first number bigint  $2 last number bigint
UPDATE receipt r SET outcome = v.outcome, code = v.code
FROM replay_candidate c JOIN replay_verdict v USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
  AND (r.provider, r.notification_id, r.receipt_id) = (v.provider, v.notification_id, v.receipt_id)
  AND (r.outcome, r.code) <> (v.outcome, v.code)
