-- Once all is noted: which notifications may have to change. Those with a receipt that was noted, and those that the send API
-- refused by one reading and took by the other, or refused for something else or before anything else failed. Several statements.
CREATE INDEX ON replay_verdict (provider, notification_id);
CREATE INDEX ON replay_acceptance (provider, notification_id);
ANALYZE replay_verdict;
ANALYZE replay_acceptance;
INSERT INTO replay_candidate (number, provider, notification_id)
SELECT row_number() OVER (ORDER BY provider COLLATE "C", notification_id COLLATE "C"), provider, notification_id
FROM (
  SELECT provider, notification_id FROM replay_verdict
  UNION
  SELECT a.provider, a.notification_id
  FROM replay_acceptance a JOIN notification n USING (provider, notification_id)
  WHERE CASE WHEN a.rejected THEN n.status = 'PENDING' OR (n.status = 'SENT' AND n.contradicted_by IS NULL)
                               OR (n.status = 'DEAD_LETTER' AND a.at < n.resolved_at)
                               OR (n.outcome = 'rejected' AND (n.code, n.reason) IS DISTINCT FROM (a.code, a.reason))
             ELSE n.outcome = 'rejected' OR n.accepted_at IS NULL END
) AS candidate;
ANALYZE replay_candidate
