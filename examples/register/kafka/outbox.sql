-- SPDX-License-Identifier: MIT
-- The outbox: your application inserts a row in the transaction in which it stores that the send API has taken the message.
CREATE TABLE outbox (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  accepted_at timestamptz NOT NULL DEFAULT now(),
  provider text NOT NULL,
  notification_id text NOT NULL, -- BizGo's msgKey, for example
  channel text,
  recipient text,
  reference text
);
