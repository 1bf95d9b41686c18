-- What is still to be asked, in the order of asking.
-- Columns: question, id, said; empty: it was not asked yet
-- $1 run_id uuid
SELECT question, id, coalesce(said, '') FROM ask_question WHERE run_id = $1::uuid ORDER BY said NULLS FIRST, question
