-- notification_sent and notification_not_sent have taken the place of notification_first_seen. While programs of schema version 35 and
-- older run beside this, their retention reads the whole table, and gives up after 30 s; nothing else of them used the index.
-- bears: 5

DROP INDEX notification_first_seen;

CREATE INDEX incident_opened ON incident (opened_at);

COMMENT ON INDEX incident_opened IS 'The incidents by the time at which they were found.';
