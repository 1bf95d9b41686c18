-- What is still to be asked, in the order of asking.
-- Columns: question, id
-- $1 run_id uuid
SELECT question, id FROM ask_question WHERE run_id = $1::uuid ORDER BY question
