-- Removes the questions of a run about contacts that are known to be deleted by now.
-- $1 run_id uuid  $2 provider text
DELETE FROM ask_question WHERE run_id = $1::uuid
  AND EXISTS (SELECT FROM contact c WHERE c.provider = $2::text AND c.contact_id = ask_question.id AND c.deleted)
