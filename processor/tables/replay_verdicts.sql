-- Gives receipts today's outcome and code.
-- $1 provider text[]  $2 notification_id text[]  $3 receipt_id uuid[]  $4 outcome text[]  $5 code text[]
UPDATE receipt r SET outcome = v.outcome, code = v.code
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[]) AS v (provider, notification_id, receipt_id, outcome, code)
WHERE (r.provider, r.notification_id, r.receipt_id) = (v.provider, v.notification_id, v.receipt_id)
