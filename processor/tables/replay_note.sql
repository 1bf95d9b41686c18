-- Notes the receipts that today's provider file reads otherwise than it was read when it came: another outcome or code, or what else
-- the notification has from it, where it is the receipt that decides or, being earlier, should decide. Only the event that carried a
-- receipt first counts, and the receipt is found by it: what tells reports apart may be another place today. What is noted needlessly,
-- since another receipt decides that says the same, costs a look. Returns how many were never taken in.
-- $1 receipt_id uuid[]  $2 event_id uuid[]  $3 provider text[]  $4 notification_id text[]  $5 outcome text[]  $6 code text[]  $7 reason text[]
-- $8 channel text[]  $9 at timestamptz[]
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
    AS g (receipt_id, event_id, provider, notification_id, outcome, code, reason, channel, at)
), noted AS (
  INSERT INTO replay_verdict (receipt_id, provider, notification_id, outcome, code)
  SELECT r.receipt_id, provider, notification_id, g.outcome, g.code
  FROM given g JOIN receipt r USING (provider, notification_id)
  JOIN notification n USING (provider, notification_id)
  WHERE r.event_id = g.event_id
    AND ((r.outcome, r.code) <> (g.outcome, g.code)
         OR (g.outcome = 'unconfirmed' AND n.unconfirmed_at IS DISTINCT FROM g.at)
         OR (g.outcome <> 'unconfirmed' AND (g.outcome = 'delivered') = (n.outcome = 'delivered') AND g.at < n.resolved_at)
         OR ((n.outcome, n.code) = (g.outcome, g.code)
             AND ((n.reason, n.channel) IS DISTINCT FROM (g.reason, g.channel)
                  OR (g.outcome <> 'unconfirmed' AND n.resolved_at IS DISTINCT FROM g.at))))
  ON CONFLICT (receipt_id) DO NOTHING
)
SELECT count(*) FROM given g
WHERE NOT EXISTS (SELECT FROM receipt r WHERE (r.provider, r.notification_id) = (g.provider, g.notification_id)
                                          AND (r.receipt_id = g.receipt_id OR r.event_id = g.event_id))
