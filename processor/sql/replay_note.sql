-- Notes the receipts that today's provider file reads otherwise than it was read when it came: another outcome, or another reason where
-- the receipt is the one that decides. Only the event that carried a receipt first counts. Returns how many were never taken in.
-- $1 receipt_id uuid[]  $2 event_id uuid[]  $3 provider text[]  $4 notification_id text[]  $5 outcome text[]  $6 code text[]  $7 reason text[]
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS g (receipt_id, event_id, provider, notification_id, outcome, code, reason)
), noted AS (
  INSERT INTO replay_verdict (receipt_id, provider, notification_id, outcome)
  SELECT receipt_id, provider, notification_id, g.outcome
  FROM given g JOIN receipt r USING (provider, notification_id, receipt_id)
  JOIN notification n USING (provider, notification_id)
  WHERE r.event_id = g.event_id
    AND (r.outcome <> g.outcome OR (n.outcome = g.outcome AND n.code = g.code AND n.reason IS DISTINCT FROM g.reason))
  ON CONFLICT (receipt_id) DO NOTHING
)
SELECT count(*) FROM given g
WHERE NOT EXISTS (SELECT FROM receipt r WHERE (r.provider, r.notification_id, r.receipt_id) = (g.provider, g.notification_id, g.receipt_id))
