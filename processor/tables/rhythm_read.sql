-- Columns: endpoint, provider, state, floor
SELECT endpoint, provider, state::text, floor::text FROM rhythm ORDER BY endpoint
