-- Where the watch stands with each endpoint, but for those that no ingress has had for a day.
-- Columns: endpoint, standing, speaks_from, horizon
SELECT endpoint, standing, speaks_from, horizon FROM rhythm r
WHERE NOT EXISTS (SELECT FROM endpoint_minute) OR EXISTS (
  SELECT FROM endpoint_minute m
  WHERE m.endpoint = r.endpoint
    AND m.minute > (SELECT max(minute) FROM endpoint_minute WHERE minute <= now() + interval '2 minutes') - interval '1 day'
)
ORDER BY endpoint
