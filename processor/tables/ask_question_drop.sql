-- Removes the questions of a run that are left.
-- $1 run_id uuid
DELETE FROM ask_question WHERE run_id = $1::uuid
