-- The last record of each ingress within a day, the newest first: instance, end of its minute as text, its age in seconds, whether the
-- process ended with it, spooled events, since when as text, for how many seconds. Where an ingress was started again within the minute, its new
-- process has a record of it, too, and that one counts. A process that ends does so before the end of its minute.
SELECT instance, to_char(ended AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), extract(epoch FROM now() - ended)::bigint, leaving,
       spooled, to_char(spooled_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), extract(epoch FROM now() - spooled_since)::bigint
FROM (SELECT DISTINCT ON (instance) instance, least(minute + interval '1 minute', now()) AS ended, leaving, spooled, spooled_since
      FROM endpoint_minute
      WHERE minute > now() - interval '1 day'
      ORDER BY instance, minute DESC, leaving) AS last
ORDER BY ended DESC, leaving
