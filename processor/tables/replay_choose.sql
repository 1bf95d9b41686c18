-- Chooses the notifications of which a receipt or an acceptance was received in that time, in the order in which batches lock rows.
-- The cursor keeps them in the server, in a file if they are many: the program never has all of them in memory.
-- $1 from timestamptz  $2 before timestamptz  $3 provider text, NULL: all
DECLARE chosen SCROLL CURSOR WITH HOLD FOR
SELECT provider, notification_id FROM receipt
WHERE received_at >= $1::timestamptz AND received_at < $2::timestamptz AND ($3::text IS NULL OR provider = $3::text)
UNION
SELECT provider, notification_id FROM acceptance
WHERE received_at >= $1::timestamptz AND received_at < $2::timestamptz AND ($3::text IS NULL OR provider = $3::text)
ORDER BY provider, notification_id
