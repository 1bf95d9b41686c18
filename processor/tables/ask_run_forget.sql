-- Deletes the run of the schedule of a provider that began so long ago and got no usable answer at all, with its questions: others are chosen then.
-- $1 provider text  $2 began before timestamptz
WITH forgotten AS (
  DELETE FROM ask_run
  WHERE provider = $1::text AND scheduled AND ended_at IS NULL AND found + nothing = 0 AND started_at < $2::timestamptz
  RETURNING run_id
)
DELETE FROM ask_question WHERE run_id = ANY (ARRAY(SELECT run_id FROM forgotten))
