-- Receipts of the replayed range whose events the topic does not hold any more. Reads the whole table.
-- $1 partition int[]  $2 oldest offset there is bigint[]  $3 first offset asked for bigint[]  $4 first time asked for timestamptz[]
-- $5 provider text[], NULL: all
SELECT count(*)
FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[]) AS kept (partition, low, first, since, provider)
JOIN receipt r ON r.source_partition = kept.partition AND r.source_offset < kept.low AND r.source_offset >= kept.first
WHERE r.received_at >= kept.since AND (kept.provider IS NULL OR r.provider = kept.provider)
