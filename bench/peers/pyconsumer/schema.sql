-- The tables of a straightforward consumer. SPDX-License-Identifier: MIT
CREATE TABLE notification (
  provider        text NOT NULL,
  notification_id text NOT NULL,
  status          text NOT NULL,
  code            text NOT NULL,
  channel         text,
  resolved_at     timestamptz,
  PRIMARY KEY (provider, notification_id)
);
CREATE TABLE receipt (
  provider        text        NOT NULL,
  notification_id text        NOT NULL,
  code            text        NOT NULL,
  outcome         text        NOT NULL,
  element         jsonb       NOT NULL,
  received_at     timestamptz NOT NULL,
  event_id        uuid        NOT NULL,
  PRIMARY KEY (provider, notification_id, code)
);
