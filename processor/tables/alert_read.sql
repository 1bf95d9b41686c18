-- The unpublished alerts whose source lies in one of the ranges, also those an attempt that crashed wrote. One range a partition.
-- $1 topic text[]  $2 partition int[]  $3 first offset bigint[]  $4 last offset bigint[]
SELECT a.alert_id, a.type, a.provider, a.subject, a.data::text, a.traceparent, a.raised_at, a.source_topic,
       a.source_partition, a.source_offset, a.source_event
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) AS r (topic, partition, first, last)
JOIN alert a ON a.source_topic = r.topic AND a.source_partition = r.partition
            AND a.source_offset BETWEEN r.first AND r.last AND NOT a.told
ORDER BY a.source_topic, a.source_partition, a.source_offset, a.alert_id
