-- A step waits for as long as one of the tasks that it ordered is open, also one that ended and was run again: they are
-- looked up, not counted down.
CREATE INDEX tasks_open_children ON tasks (parent_step) WHERE parent_step IS NOT NULL AND finished_at IS NULL;
ALTER TABLE steps DROP COLUMN waiting_for;
