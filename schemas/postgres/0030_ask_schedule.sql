-- Processors ask providers by themselves: their run stands beside one that an operator has begun.
-- bears: 5

ALTER TABLE ask_run ADD COLUMN scheduled boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN ask_run.scheduled IS 'A processor began it by itself; else an operator, by the command reconcile.';
COMMENT ON COLUMN ask_run.scope IS 'Which of them, as the command has it; a list of members by its digest. Of the schedule: all overdue, newly overdue, or all known.';

CREATE UNIQUE INDEX ask_run_going ON ask_run (provider, about, scheduled) WHERE ended_at IS NULL;
DROP INDEX ask_run_open;
CREATE INDEX ask_run_scheduled ON ask_run (provider, started_at) WHERE scheduled AND ended_at IS NOT NULL;

COMMENT ON INDEX ask_run_going IS 'The one of each provider that has not ended, and the one of the schedule.';
COMMENT ON INDEX ask_run_scheduled IS 'Since when the notifications of a provider were asked for.';
