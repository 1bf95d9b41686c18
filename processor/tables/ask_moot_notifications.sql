-- Removes the questions of a run about notifications that have a result by now.
-- $1 run_id uuid  $2 provider text
DELETE FROM ask_question WHERE run_id = $1::uuid
  AND EXISTS (SELECT FROM notification n WHERE n.provider = $2::text AND n.notification_id = ask_question.id AND n.status <> 'PENDING')
