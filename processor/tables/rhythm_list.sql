-- Where the watch stands with each endpoint.
-- Columns: endpoint, standing, speaks_from, horizon
SELECT endpoint, standing, speaks_from, horizon FROM rhythm ORDER BY endpoint
