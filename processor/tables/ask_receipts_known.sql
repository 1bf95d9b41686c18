-- Which of the receipts are there.
-- $1 provider text[]  $2 notification_id text[]  $3 receipt_id uuid[]
SELECT receipt_id FROM receipt JOIN unnest($1::text[], $2::text[], $3::uuid[]) AS asked (provider, notification_id, receipt_id)
  USING (provider, notification_id, receipt_id)
