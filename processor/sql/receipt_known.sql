-- Which of the receipts are there.
-- $1 receipt_id uuid[]
SELECT receipt_id FROM receipt WHERE receipt_id = ANY ($1::uuid[])
