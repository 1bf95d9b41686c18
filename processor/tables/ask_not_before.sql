-- Until when a provider wants no more requests, as it has said to any run: Unix milliseconds, 0: it has not said so.
-- $1 provider text
SELECT coalesce((extract(epoch FROM max(not_before)) * 1000)::bigint, 0) FROM ask_run WHERE provider = $1::text AND not_before > now()
