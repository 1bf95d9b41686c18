-- What was said about some candidates: all receipts, and the acceptances that lie in the range; those are the rows without an element.
-- Each candidate's in the order in which a processor took them in. One notification is one partition, where that is the order of
-- offsets: what came by the spool was received earlier than its neighbours. A topic made anew counts from 0 again, and its receipts
-- come before those of the one before, which by a row nobody can tell from it.
-- $1 first number bigint  $2 last number bigint
SELECT c.number, r.outcome, r.code, r.element::text, NULL AS reason, NULL AS channel, r.received_at AS at, r.received_at, r.source_offset
FROM replay_candidate c JOIN receipt r USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
UNION ALL
SELECT c.number, CASE WHEN a.rejected THEN 'rejected' END, a.code, NULL, a.reason, a.channel, a.at, a.received_at, a.source_offset
FROM replay_candidate c JOIN replay_acceptance a USING (provider, notification_id)
WHERE c.number BETWEEN $1::bigint AND $2::bigint
ORDER BY number, source_offset
