-- What Kafka refuses for what it is, and what is for another topic, does not count any more.
-- bears: 1

COMMENT ON COLUMN endpoint_minute.spooled_since IS 'When the oldest was received of those that wait for the events topic; NULL: none waits. An event that Kafka refuses for what it is does not count.';
