-- What the watch saw.
-- $1 instance  $2 leads_since  $3 looked_at  $4 known_until  $5 hidden_partitions  $6 door_called_at  $7 door_result  $8 door_text  $9 door_ms
-- $10 certificate_ends_at: all text, times in RFC 3339; $4 and those from $6 on may be NULL
INSERT INTO watch_look (instance, leads_since, looked_at, known_until, hidden_partitions, door_called_at, door_result, door_text, door_ms,
                        certificate_ends_at)
VALUES ($1::text, $2::timestamptz, $3::timestamptz, $4::timestamptz, $5::integer, $6::timestamptz, $7::text, $8::text, $9::bigint,
        $10::timestamptz)
ON CONFLICT (one) DO UPDATE
SET instance = excluded.instance, leads_since = excluded.leads_since, looked_at = excluded.looked_at, known_until = excluded.known_until,
    hidden_partitions = excluded.hidden_partitions, door_called_at = excluded.door_called_at, door_result = excluded.door_result,
    door_text = excluded.door_text, door_ms = excluded.door_ms, certificate_ends_at = excluded.certificate_ends_at
