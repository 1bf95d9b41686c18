-- The last minute for which an ingress reported: of which endpoints, and whether all records of it said that their ingress stops. No row: none
-- ever reported.
-- Columns: minute, endpoint, leaving int (1: yes)
-- $1 up to which minute timestamptz
SELECT minute, endpoint, bool_and(leaving)::integer FROM endpoint_minute
WHERE minute = (SELECT minute FROM endpoint_minute WHERE minute <= $1::timestamptz ORDER BY minute DESC LIMIT 1)
GROUP BY minute, endpoint
