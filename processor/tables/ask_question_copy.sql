-- Rows of questions.
COPY ask_question (run_id, question, id) FROM STDIN (FORMAT binary)
