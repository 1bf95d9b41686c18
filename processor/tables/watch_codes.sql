-- The codes with which receipts of a provider failed in a time, the commonest first, each with a notification id. OFFSET 0: the time is looked
-- up by receipt_received before the provider is compared; by its key, all receipts that the provider ever sent would be read.
-- $1 provider text  $2 from timestamptz  $3 to timestamptz
SELECT code, count(*), min(notification_id)
FROM (SELECT provider, notification_id, code, outcome FROM receipt
      WHERE received_at >= $2::timestamptz AND received_at < $3::timestamptz OFFSET 0) AS received
WHERE provider = $1 AND outcome IN ('failed', 'account_fault')
GROUP BY code ORDER BY 2 DESC, 1 LIMIT 5
