-- $1 provider text[]  $2 notification_id text[]  $3 rejected int[]  $4 code text[]  $5 reason text[]  $6 channel text[]
-- $7 at timestamptz[]  $8 received_at timestamptz[]  $9 source_offset bigint[]
INSERT INTO replay_acceptance (provider, notification_id, rejected, code, reason, channel, at, received_at, source_offset)
SELECT provider, notification_id, rejected <> 0, code, reason, channel, at, received_at, source_offset
FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
            $9::bigint[])
  AS a (provider, notification_id, rejected, code, reason, channel, at, received_at, source_offset)
