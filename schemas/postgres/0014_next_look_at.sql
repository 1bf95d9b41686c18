-- When the watch has to look at a notification again. Rows that are there stay NULL until the program writes them: filling them here would lock
-- all open ones. The watch finds them by notification_pending_due, as it does those that a program of an older version writes meanwhile.
-- bears: 5

ALTER TABLE notification ADD COLUMN next_look_at timestamptz;

COMMENT ON COLUMN notification.next_look_at IS 'While PENDING, when there is something to say: at due_at that the receipt is overdue, after that at expires_at that the notification has expired. NULL: nothing is to come, or the last to write the row was a program older than schema version 14; if such a program resolved it, the time may still be there.';
