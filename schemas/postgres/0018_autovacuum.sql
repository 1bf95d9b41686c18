-- As for the notifications: autovacuum comes after 2 % of changes. New receipts and acceptances are never changed by a batch; a vacuum after
-- inserts reads only the pages that are new, and does what else one large vacuum would do at once.
-- bears: 1

ALTER TABLE receipt SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                         autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE acceptance SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                            autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE alert SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                       autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE delivery_minute SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                                 autovacuum_analyze_scale_factor = 0.02);
