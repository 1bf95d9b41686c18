-- The last minute for which an ingress reported, and whether all of that minute said that they stop. No row: none ever reported.
-- Columns: minute, leaving int (1: yes)
-- $1 up to which minute timestamptz
SELECT minute, bool_and(leaving)::integer FROM endpoint_minute
WHERE minute = (SELECT minute FROM endpoint_minute WHERE minute <= $1::timestamptz ORDER BY minute DESC LIMIT 1)
GROUP BY minute
