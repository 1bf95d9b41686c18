-- Removes the questions whose answers are in Kafka.
-- $1 run_id uuid[]  $2 question bigint[]
DELETE FROM ask_question USING unnest($1::uuid[], $2::bigint[]) AS answered (run_id, question)
WHERE ask_question.run_id = answered.run_id AND ask_question.question = answered.question
