-- What one transaction tells of a task is one row: one index entry and one check of the task for all of it. `seq` is the
-- number of its newest event; `told` is [{"kind": …, "data": …}, …], oldest first.
ALTER TABLE events RENAME TO event_groups;
ALTER TABLE event_groups RENAME CONSTRAINT events_pkey TO event_groups_pkey;
ALTER TABLE event_groups RENAME CONSTRAINT events_org_id_task_id_fkey TO event_groups_org_id_task_id_fkey;
ALTER TABLE event_groups ADD COLUMN told jsonb;
UPDATE event_groups SET told = jsonb_build_array(jsonb_build_object('kind', kind, 'data', data));
ALTER TABLE event_groups ALTER COLUMN told SET NOT NULL, DROP COLUMN kind, DROP COLUMN data;

-- One by one, for whoever reads. Ask for groups that end behind the number that you have seen, too: the index knows those.
CREATE VIEW events AS
SELECT g.org_id, g.task_id, g.seq - jsonb_array_length(g.told) + one.at AS seq, g.seq AS group_seq,
    one.told ->> 'kind' AS kind, one.told -> 'data' AS data, g.created_at
FROM event_groups g CROSS JOIN LATERAL jsonb_array_elements(g.told) WITH ORDINALITY AS one(told, at);
