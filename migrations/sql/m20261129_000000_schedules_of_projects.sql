-- The schedules of a project share its fate: they pause when it goes into the trash, and are removed with it.

-- True for those that the trash has paused. Taken out of it, they go on from where they were, so that the times that came
-- meanwhile are missed; what a person has paused stays paused.
ALTER TABLE schedules ADD COLUMN paused_by_trash boolean NOT NULL DEFAULT false CHECK (NOT paused_by_trash OR status = 'paused');
CREATE INDEX schedules_project ON schedules (org_id, project_id) WHERE project_id IS NOT NULL;

-- What older versions have left running. Their pending steps find that they are not active, and do nothing.
UPDATE schedules s SET status = 'paused', paused_by_trash = true, next_due = NULL, updated_at = now()
FROM projects p
WHERE p.org_id = s.org_id AND p.id = s.project_id AND p.deleted_at IS NOT NULL AND s.status = 'active';
DELETE FROM schedules s
WHERE s.project_id IS NOT NULL AND NOT EXISTS (SELECT FROM projects p WHERE p.org_id = s.org_id AND p.id = s.project_id);
