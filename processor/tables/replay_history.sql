-- All receipts and acceptances of some notifications, each one's in the order in which a processor took them in. One notification is
-- one partition, where that is the order of offsets: what came by the spool was received earlier than its neighbours. A topic made anew
-- begins at offset 0 again, and its events come before those of the one before, which no row shows.
-- An acceptance has no outcome.
-- $1 place int[], by which the rows name their notification  $2 provider text[]  $3 notification_id text[]
WITH wanted AS (
  SELECT * FROM unnest($1::integer[], $2::text[], $3::text[]) AS w (place, provider, notification_id)
)
SELECT w.place, r.receipt_id, r.outcome, r.code, r.element::text, r.received_at, r.source_offset
FROM wanted w JOIN receipt r USING (provider, notification_id)
UNION ALL
SELECT w.place, NULL, NULL, NULL, a.registration::text, a.received_at, a.source_offset
FROM wanted w JOIN acceptance a USING (provider, notification_id)
ORDER BY place, source_offset
