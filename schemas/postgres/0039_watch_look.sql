-- What the watch that leads saw when it last looked, so that each processor can say it.
-- bears: 5

CREATE TABLE watch_look (
  one                 boolean     PRIMARY KEY DEFAULT true CHECK (one),
  instance            text        NOT NULL,
  leads_since         timestamptz NOT NULL,
  looked_at           timestamptz NOT NULL,
  known_until         timestamptz,
  hidden_partitions   integer     NOT NULL,
  door_called_at      timestamptz,
  door_result         text,
  door_text           text,
  door_ms             bigint,
  certificate_ends_at timestamptz
) WITH (fillfactor = 10);

COMMENT ON TABLE watch_look IS 'What the watch that leads saw when it last looked: one row, written every few seconds.';
COMMENT ON COLUMN watch_look.one IS 'There is one row.';
COMMENT ON COLUMN watch_look.instance IS 'The processor in which it leads.';
COMMENT ON COLUMN watch_look.leads_since IS 'Since when, by the clock of that processor.';
COMMENT ON COLUMN watch_look.looked_at IS 'When it looked, by that clock.';
COMMENT ON COLUMN watch_look.known_until IS 'All that ingress received before is in Postgres. NULL: the consumer group is behind where it was when this watch began.';
COMMENT ON COLUMN watch_look.hidden_partitions IS 'Partitions of the events topic of which no broker tells what they contain.';
COMMENT ON COLUMN watch_look.door_called_at IS 'When the front door was last called. NULL: it was not, as without DOCHAK_PUBLIC_URL.';
COMMENT ON COLUMN watch_look.door_result IS 'ok, or what failed: name, connect, tls, http, not_ours, slow.';
COMMENT ON COLUMN watch_look.door_text IS 'Of a failure, what a person has to know.';
COMMENT ON COLUMN watch_look.door_ms IS 'How long the call took, in milliseconds.';
COMMENT ON COLUMN watch_look.certificate_ends_at IS 'When the certificate ends that the call was shown. NULL: it was shown none.';
