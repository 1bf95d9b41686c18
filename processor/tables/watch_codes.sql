-- The codes with which receipts of a provider failed in a time, the commonest first, each with a notification id.
-- $1 provider text  $2 from timestamptz  $3 to timestamptz
SELECT code, count(*), min(notification_id)
FROM receipt
WHERE provider = $1 AND received_at >= $2::timestamptz AND received_at < $3::timestamptz AND outcome IN ('failed', 'account_fault')
GROUP BY code ORDER BY 2 DESC, 1 LIMIT 5
