-- The alerts whose source lies in one of the ranges are on the alert topic, committed. One range a partition.
-- $1 topic text[]  $2 partition int[]  $3 first offset bigint[]  $4 last offset bigint[]
UPDATE alert a SET told = true
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) AS r (topic, partition, first, last)
WHERE a.source_topic = r.topic AND a.source_partition = r.partition
  AND a.source_offset BETWEEN r.first AND r.last AND NOT a.told
