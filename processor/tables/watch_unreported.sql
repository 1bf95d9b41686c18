-- How many open notifications of a provider were first seen after a time; 5 stands for more.
-- $1 provider text  $2 from timestamptz
SELECT count(*) FROM (SELECT 1 FROM notification WHERE provider = $1 AND status = 'PENDING' AND first_seen_at > $2::timestamptz LIMIT 5) AS unreported
