-- Each step that was claimed leaves a dead entry at the front of steps_ready, where every claim begins to look. By default
-- a table is vacuumed when a fifth of it is dead: the longer the past, the more entries a claim walks over (100,000 of them
-- make it four times as slow). And a vacuum that finds few of the pages of a large table touched leaves its indexes alone.
ALTER TABLE steps SET (
    autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0.002, vacuum_index_cleanup = on);
-- The same goes for tasks_by_status, where lists of what is pending or processing look.
ALTER TABLE tasks SET (
    autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0.002, vacuum_index_cleanup = on);
