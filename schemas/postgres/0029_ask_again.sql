-- A question whose first answer cannot be used goes behind all others, also in the next process; and runs that have ended are deleted some day.
-- bears: 5

ALTER TABLE ask_question ADD COLUMN said text CHECK (said IN ('unclear', 'gone'));

COMMENT ON COLUMN ask_question.said IS 'What came of asking it the first time, if that is not to be believed alone: gone, or nothing usable (unclear). It is asked once more behind all others. NULL: it was not asked yet.';

CREATE INDEX ask_run_ended ON ask_run (ended_at) WHERE ended_at IS NOT NULL;

COMMENT ON INDEX ask_run_ended IS 'Those that retention deletes.';

CREATE INDEX ask_run_paused ON ask_run (provider, not_before) WHERE not_before IS NOT NULL;

COMMENT ON INDEX ask_run_paused IS 'Those to which a provider said until when it wants no more requests.';
