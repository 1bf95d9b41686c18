-- The providers whose overdue notifications raise no alert of their own, because an open incident says so for all of them.
SELECT DISTINCT provider FROM incident
WHERE closed_at IS NULL AND kind IN ('silent', 'failing') AND scope IN ('', 'account')
