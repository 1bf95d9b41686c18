-- What the watch reads and what it finds: the minutes of ingress, and incidents.
-- bears: 5

CREATE TABLE endpoint_minute (
  minute          timestamptz NOT NULL,
  endpoint        text COLLATE "C" NOT NULL,
  instance        text COLLATE "C" NOT NULL,
  event_id        uuid        NOT NULL,
  provider        text COLLATE "C" NOT NULL,
  calls           bigint      NOT NULL,
  good            bigint      NOT NULL,
  refused         bigint      NOT NULL,
  refused_by      jsonb       NOT NULL,
  failed          bigint      NOT NULL,
  failed_in_a_row bigint      NOT NULL,
  spooled         bigint      NOT NULL,
  spooled_since   timestamptz,
  leaving         boolean     NOT NULL,
  PRIMARY KEY (minute, endpoint, event_id)
);

COMMENT ON TABLE endpoint_minute IS 'What each ingress counted for each endpoint, minute by minute, also where nothing came: a minute without a row is one in which ingress was away.';
COMMENT ON COLUMN endpoint_minute.minute IS 'When the minute began, by ingress''s clock.';
COMMENT ON COLUMN endpoint_minute.endpoint IS 'Name in the endpoints file.';
COMMENT ON COLUMN endpoint_minute.instance IS 'Which ingress: DOCHAK_INSTANCE, else a name of the process.';
COMMENT ON COLUMN endpoint_minute.event_id IS 'ce_id of the record. An ingress that was started anew within a minute has several for it.';
COMMENT ON COLUMN endpoint_minute.provider IS 'Whose endpoint it is.';
COMMENT ON COLUMN endpoint_minute.calls IS 'Requests that named the endpoint.';
COMMENT ON COLUMN endpoint_minute.good IS 'Of these, refused by no check and answered with a 2xx.';
COMMENT ON COLUMN endpoint_minute.refused IS 'Of these, refused by a sender check.';
COMMENT ON COLUMN endpoint_minute.refused_by IS 'How many by which check.';
COMMENT ON COLUMN endpoint_minute.failed IS 'Of the calls, answered with other than 2xx.';
COMMENT ON COLUMN endpoint_minute.failed_in_a_row IS 'Answers other than 2xx since the last 2xx, at the end of the minute.';
COMMENT ON COLUMN endpoint_minute.spooled IS 'Events of all endpoints that waited in the spool at the end of the minute.';
COMMENT ON COLUMN endpoint_minute.spooled_since IS 'When the oldest of them was received; NULL: none waited.';
COMMENT ON COLUMN endpoint_minute.leaving IS 'The last row of this ingress: it has stopped.';

CREATE TABLE incident (
  incident_id   uuid        PRIMARY KEY,
  kind          text        NOT NULL CHECK (kind IN ('failing', 'silent', 'slow', 'refusing', 'unreachable', 'at_risk')),
  provider      text COLLATE "C" NOT NULL,
  endpoint      text COLLATE "C" NOT NULL,
  scope         text COLLATE "C" NOT NULL,
  since         timestamptz NOT NULL,
  opened_at     timestamptz NOT NULL,
  closed_at     timestamptz,
  judged_until  timestamptz NOT NULL,
  gap_ms        bigint      NOT NULL,
  faults        bigint      NOT NULL,
  folded        bigint      NOT NULL DEFAULT 0,
  details       jsonb       NOT NULL
);
CREATE UNIQUE INDEX incident_open ON incident (kind, provider, endpoint, scope) WHERE closed_at IS NULL;
CREATE INDEX incident_closed ON incident (kind, provider, endpoint, scope, closed_at) WHERE closed_at IS NOT NULL;

COMMENT ON TABLE incident IS 'Faults of a whole provider or endpoint. One alert says that one opens, one that it closes.';
COMMENT ON COLUMN incident.incident_id IS 'UUIDv5 of the first four columns after it and of the judgement that opened it; of an account fault, of the receipt that showed it.';
COMMENT ON COLUMN incident.kind IS 'What is wrong.';
COMMENT ON COLUMN incident.provider IS 'Whose fault it is, or whose endpoint; empty: that of no one provider.';
COMMENT ON COLUMN incident.endpoint IS 'Which endpoint; empty: all of the provider.';
COMMENT ON COLUMN incident.scope IS 'Which part: of an account fault, whose messages fail; of at_risk, how near the limit is. Empty: all.';
COMMENT ON COLUMN incident.since IS 'When the fault began.';
COMMENT ON COLUMN incident.opened_at IS 'When it was found.';
COMMENT ON COLUMN incident.closed_at IS 'When it was over; NULL: it is open.';
COMMENT ON COLUMN incident.judged_until IS 'When its last fault was received. It does not close by a judgement that is older.';
COMMENT ON COLUMN incident.gap_ms IS 'How long to expect between two of its account faults, in milliseconds: as long as it was at the longest, less with each fault.';
COMMENT ON COLUMN incident.faults IS 'Account faults in it.';
COMMENT ON COLUMN incident.folded IS 'Overdue notifications that raised no alert of their own because of it.';
COMMENT ON COLUMN incident.details IS 'What its alert says beside that: event.incident.schema.json.';
COMMENT ON INDEX incident_open IS 'The open ones; one for each kind, provider, endpoint and scope.';
COMMENT ON INDEX incident_closed IS 'The last one that closed, of each key.';

CREATE TABLE provider_hour (
  hour     timestamptz NOT NULL,
  provider text COLLATE "C" NOT NULL,
  taken    bigint      NOT NULL,
  late     bigint      NOT NULL,
  PRIMARY KEY (hour, provider)
);

COMMENT ON TABLE provider_hour IS 'How many messages had no receipt in time, hour by hour: what the watch takes for usual. Minutes in which an incident was open are left out.';
COMMENT ON COLUMN provider_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN provider_hour.provider IS 'Name of a provider file.';
COMMENT ON COLUMN provider_hour.taken IS 'Messages accepted in that hour.';
COMMENT ON COLUMN provider_hour.late IS 'Of these, without a receipt in the time that the provider file allows.';

CREATE TABLE endpoint_hour (
  endpoint text COLLATE "C" NOT NULL,
  hour     timestamptz NOT NULL,
  calls    bigint      NOT NULL,
  live     integer     NOT NULL,
  known    integer     NOT NULL,
  PRIMARY KEY (endpoint, hour)
);

COMMENT ON TABLE endpoint_hour IS 'What is learned of the rhythm of an endpoint''s calls: endpoint_minute by the hour. 13 weeks are enough.';
COMMENT ON COLUMN endpoint_hour.endpoint IS 'Name in the endpoints file.';
COMMENT ON COLUMN endpoint_hour.hour IS 'When the hour began.';
COMMENT ON COLUMN endpoint_hour.calls IS 'Good calls.';
COMMENT ON COLUMN endpoint_hour.live IS 'Minutes with one.';
COMMENT ON COLUMN endpoint_hour.known IS 'Minutes for which ingress reported, and no event waited in a spool.';

CREATE TABLE rhythm (
  endpoint    text COLLATE "C" PRIMARY KEY,
  provider    text COLLATE "C" NOT NULL,
  state       jsonb       NOT NULL,
  floor       jsonb       NOT NULL,
  minute      timestamptz NOT NULL,
  standing    text        NOT NULL CHECK (standing IN ('learning', 'irregular', 'watching', 'registered')),
  speaks_from timestamptz,
  horizon     timestamptz,
  score       real        NOT NULL,
  bar         real        NOT NULL
);

COMMENT ON TABLE rhythm IS 'How the watch judges the silence of each endpoint: where it stands, so that another process goes on with it.';
COMMENT ON COLUMN rhythm.endpoint IS 'Name in the endpoints file.';
COMMENT ON COLUMN rhythm.provider IS 'Whose endpoint it is.';
COMMENT ON COLUMN rhythm.state IS 'struct rhythm_state of processor/rules/rhythm.h.';
COMMENT ON COLUMN rhythm.floor IS 'struct floor_state of processor/rules/floor.h.';
COMMENT ON COLUMN rhythm.minute IS 'The last minute that was judged.';
COMMENT ON COLUMN rhythm.standing IS 'learning: fewer than four weeks are known; irregular: only a floor can watch it; watching; registered: the messages of its provider are registered, and their deadlines tell more.';
COMMENT ON COLUMN rhythm.speaks_from IS 'When it will have learned enough. NULL: it has.';
COMMENT ON COLUMN rhythm.horizon IS 'When the alert would come if no call came any more. NULL: none would.';
COMMENT ON COLUMN rhythm.score IS 'How much is missing by now.';
COMMENT ON COLUMN rhythm.bar IS 'The score at which silent opens.';
