-- What a replay notes down while it reads: tables of its own session. Several statements.
CREATE TEMP TABLE replay_verdict ( -- receipts of which today's provider file says something else
  receipt_id      uuid PRIMARY KEY,
  provider        text NOT NULL,
  notification_id text NOT NULL,
  outcome         text NOT NULL,
  code            text NOT NULL
);
CREATE TEMP TABLE replay_acceptance ( -- all acceptances, as today's provider file reads them
  provider        text NOT NULL,
  notification_id text NOT NULL,
  rejected        boolean NOT NULL,
  code            text,
  reason          text,
  channel         text,
  at              timestamptz NOT NULL,
  received_at     timestamptz NOT NULL,
  source_offset   bigint NOT NULL
);
CREATE TEMP TABLE replay_candidate ( -- notifications that are to be looked at again, in the order in which batches lock rows
  number          bigint PRIMARY KEY,
  provider        text NOT NULL,
  notification_id text NOT NULL
)
