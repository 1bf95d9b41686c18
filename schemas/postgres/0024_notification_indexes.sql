-- notification_due and notification_not_looked have taken their places. No program reads by these two.
-- bears: 5

DROP INDEX notification_next_look;
DROP INDEX notification_pending_due;
