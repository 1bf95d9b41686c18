-- Notes for questions what their first answers said. They are asked once more, behind all others.
-- $1 run_id uuid[]  $2 question bigint[]  $3 said text[]
UPDATE ask_question SET said = later.said FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS later (run_id, question, said)
WHERE ask_question.run_id = later.run_id AND ask_question.question = later.question
