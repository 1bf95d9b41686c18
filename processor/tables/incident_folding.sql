-- The providers whose overdue notifications raise no alert of their own, because an open incident says so for all of them: one of the whole
-- provider, or one of each endpoint that was called within a week. By which endpoint the receipt of a notification will come is not known.
WITH open AS (
  SELECT DISTINCT provider, endpoint FROM incident
  WHERE closed_at IS NULL AND kind IN ('silent', 'failing') AND scope IN ('', 'account')
)
SELECT DISTINCT o.provider FROM open o
WHERE o.endpoint = '' OR NOT EXISTS (
  SELECT FROM rhythm r
  WHERE r.provider = o.provider AND NOT EXISTS (SELECT FROM open WHERE open.provider = r.provider AND open.endpoint = r.endpoint)
    AND EXISTS (SELECT FROM endpoint_hour h WHERE h.endpoint = r.endpoint AND h.hour >= now() - interval '7 days' AND h.calls > 0)
)
