-- A redrive has understood all of these records.
-- $1 source_partition int[]  $2 source_offset bigint[]
UPDATE quarantine q SET redriven_at = now()
FROM unnest($1::integer[], $2::bigint[]) AS given (source_partition, source_offset)
WHERE q.source_partition = given.source_partition AND q.source_offset = given.source_offset AND q.redriven_at IS NULL
