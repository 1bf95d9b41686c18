-- The first open notifications of a provider that were first seen after a time: how many, and when the first and the last of them was seen, as
-- Unix milliseconds.
-- $1 provider text  $2 from timestamptz  $3 at most how many bigint
SELECT count(*), (extract(epoch FROM min(first_seen_at)) * 1000)::bigint, (extract(epoch FROM max(first_seen_at)) * 1000)::bigint
FROM (SELECT first_seen_at FROM notification
      WHERE provider = $1 AND status = 'PENDING' AND first_seen_at > $2::timestamptz
      ORDER BY first_seen_at LIMIT $3::bigint) AS unreported
