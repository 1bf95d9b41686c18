-- Asking providers for what their webhooks should have brought: how far each asking is.
-- bears: 5

CREATE TABLE ask_run (
  run_id     uuid        PRIMARY KEY,
  provider   text COLLATE "C" NOT NULL,
  about      text        NOT NULL CHECK (about IN ('notification', 'contact')),
  scope      text        NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at   timestamptz,
  not_before timestamptz,
  questions  bigint      NOT NULL,
  requests   bigint      NOT NULL DEFAULT 0,
  found      bigint      NOT NULL DEFAULT 0,
  nothing    bigint      NOT NULL DEFAULT 0,
  differed   bigint      NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX ask_run_open ON ask_run (provider, about) WHERE ended_at IS NULL;

COMMENT ON TABLE ask_run IS 'Each time a provider was asked for what its webhooks should have brought. One that was killed goes on from here.';
COMMENT ON COLUMN ask_run.run_id IS 'UUIDv7.';
COMMENT ON COLUMN ask_run.provider IS 'Who is asked: the name of a provider file.';
COMMENT ON COLUMN ask_run.about IS 'What is asked about.';
COMMENT ON COLUMN ask_run.scope IS 'Which of them, as the command has it; a list of members by its digest.';
COMMENT ON COLUMN ask_run.started_at IS 'When the questions were chosen.';
COMMENT ON COLUMN ask_run.ended_at IS 'When the last answer was stored; NULL: it goes on, or was interrupted.';
COMMENT ON COLUMN ask_run.not_before IS 'Until when the provider wants no more requests. NULL: it has not said so.';
COMMENT ON COLUMN ask_run.questions IS 'Ids to ask about.';
COMMENT ON COLUMN ask_run.requests IS 'Requests sent, repeated ones among them; those since the last checkpoint of a process that was killed are not counted.';
COMMENT ON COLUMN ask_run.found IS 'Answers with a result.';
COMMENT ON COLUMN ask_run.nothing IS 'Answers that there is no result yet.';
COMMENT ON COLUMN ask_run.differed IS 'Ids of which something else was known here than the provider says.';
COMMENT ON INDEX ask_run_open IS 'The one of each provider that has not ended.';

CREATE TABLE ask_question (
  run_id   uuid   NOT NULL,
  question bigint NOT NULL,
  id       text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, question)
);

COMMENT ON TABLE ask_question IS 'What is still to be asked. A row goes when the events of its answer are in Kafka.';
COMMENT ON COLUMN ask_question.run_id IS 'Of which run.';
COMMENT ON COLUMN ask_question.question IS 'Its place in the order of asking.';
COMMENT ON COLUMN ask_question.id IS 'The notification id or contact id.';
