-- Moves on what of each partition is counted, and returns from which offset on its records are not counted yet. The rows stay locked
-- until the end of the transaction: of two workers with the same records, the second one adds nothing.
-- $1 topic text[]  $2 partition int[]  $3 next offset bigint[]
INSERT INTO applied AS a (topic, partition, next_offset, counted_before)
SELECT topic, partition, next_offset, 0
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS given (topic, partition, next_offset)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE
SET counted_before = a.next_offset, next_offset = greatest(a.next_offset, excluded.next_offset)
RETURNING topic, partition, counted_before
