-- When the oldest event was received that waits in a spool, by the last record of each ingress since a minute: where it was started again within
-- the minute, by that of the new process. NULL: none waits.
-- $1 from which minute on timestamptz  $2 up to which minute timestamptz
SELECT min(spooled_since)
FROM (SELECT DISTINCT ON (instance) spooled_since FROM endpoint_minute WHERE minute >= $1::timestamptz AND minute <= $2::timestamptz
      ORDER BY instance, minute DESC, leaving) AS last
