-- A receipt's key begins with its notification: reports of one time lie together, and one index does what two did.
-- Ids are compared byte by byte, not as a language would order them.
-- bears: 2

ALTER TABLE receipt
  ALTER COLUMN provider TYPE text COLLATE "C",
  ALTER COLUMN notification_id TYPE text COLLATE "C",
  DROP CONSTRAINT receipt_pkey,
  ADD PRIMARY KEY (provider, notification_id, receipt_id);
DROP INDEX receipt_notification;

ALTER TABLE notification
  ALTER COLUMN provider TYPE text COLLATE "C",
  ALTER COLUMN notification_id TYPE text COLLATE "C",
  ALTER COLUMN updated_at SET DEFAULT now(); -- so that a COPY of new rows need not say it
