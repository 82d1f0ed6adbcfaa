-- A step waits for as long as one of the tasks that it ordered is open, also one that ended and was run again: they are
-- looked up, not counted down.
CREATE INDEX tasks_open_children ON tasks (parent_step) WHERE parent_step IS NOT NULL AND finished_at IS NULL;
ALTER TABLE steps DROP COLUMN waiting_for;

-- Steps that nothing but a person or another task sets going, for figures.
CREATE INDEX steps_held ON steps (state) WHERE state IN ('paused', 'waiting');
-- A job may call a paid service for its organization, too.
ALTER TABLE usage_records ALTER COLUMN task_id DROP NOT NULL, ADD FOREIGN KEY (org_id) REFERENCES organizations ON DELETE CASCADE;
-- What retention no longer keeps.
CREATE INDEX schedule_runs_old ON schedule_runs (created_at) WHERE status <> 'asked';
