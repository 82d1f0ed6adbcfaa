-- One engine for every kind of work. Tasks: what they are about, who ordered them, counts, pause. Steps: which pool runs
-- them, what they are given, and a life without a task.

ALTER TABLE tasks RENAME COLUMN article_id TO subject_id;
ALTER TABLE tasks
    -- The task that ordered this one, the step that waits for its end, and which of that step's orders it is.
    ADD COLUMN parent_id uuid,
    ADD COLUMN parent_step uuid,
    ADD COLUMN parent_position integer,
    -- Nothing of it is claimed until it is resumed.
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    -- What a wide task is made of; zero for tasks that are not counted in items.
    ADD COLUMN items_total integer NOT NULL DEFAULT 0 CHECK (items_total >= 0),
    ADD COLUMN items_done integer NOT NULL DEFAULT 0 CHECK (items_done >= 0),
    ADD COLUMN items_failed integer NOT NULL DEFAULT 0 CHECK (items_failed >= 0),
    -- Stages that have begun in this run and have not ended: {kind: [steps that are open, steps in all, steps that failed]}.
    ADD COLUMN stages jsonb NOT NULL DEFAULT '{}',
    -- What the pipeline remembers about the task.
    ADD COLUMN memo jsonb NOT NULL DEFAULT '{}',
    ADD FOREIGN KEY (org_id, parent_id) REFERENCES tasks (org_id, id) ON DELETE SET NULL (parent_id);
-- The step of a parent orders each of its children once.
CREATE UNIQUE INDEX tasks_child ON tasks (parent_step, parent_position) WHERE parent_step IS NOT NULL;
CREATE INDEX tasks_children ON tasks (parent_id) WHERE parent_id IS NOT NULL;

UPDATE tasks SET memo = jsonb_build_object('sources_run', sources_run) WHERE sources_run > 0;

ALTER TABLE steps
    ADD COLUMN pool text,
    -- What the step is given besides its task: small, ids and cursors.
    ADD COLUMN payload jsonb,
    -- What the step is about when it belongs to no task.
    ADD COLUMN subject_id uuid,
    -- Children of the task that have not ended, while the step waits for them.
    ADD COLUMN waiting_for integer;
UPDATE steps SET pool = CASE kind
    WHEN 'research' THEN 'reading'
    WHEN 'outline' THEN 'models' WHEN 'draft' THEN 'models' WHEN 'seo' THEN 'models'
    WHEN 'image' THEN 'pictures'
    WHEN 'sync' THEN 'destinations'
    ELSE 'upkeep' END;
ALTER TABLE steps ALTER COLUMN pool SET NOT NULL;

-- A task in the middle of a run: what is open in it now.
UPDATE tasks t SET stages = o.stages
FROM (
    SELECT task_id, run, jsonb_object_agg(kind, jsonb_build_array(open, total, 0)) AS stages
    FROM (
        SELECT s.task_id, s.run, s.kind, count(*) FILTER (WHERE s.state IN ('ready', 'delayed', 'running')) AS open,
            count(*) AS total
        FROM steps s JOIN tasks t ON t.id = s.task_id AND t.run = s.run
        WHERE t.finished_at IS NULL GROUP BY s.task_id, s.run, s.kind) AS counted
    WHERE open > 0 GROUP BY task_id, run) AS o
WHERE t.id = o.task_id AND t.run = o.run;
ALTER TABLE tasks DROP COLUMN fan_open, DROP COLUMN fan_total, DROP COLUMN sources_run;

-- A step may belong to an organization and to no task.
ALTER TABLE steps DROP CONSTRAINT steps_check;
ALTER TABLE steps ADD CONSTRAINT steps_owner CHECK (task_id IS NULL OR org_id IS NOT NULL);
ALTER TABLE steps DROP CONSTRAINT steps_state_check;
ALTER TABLE steps ADD CONSTRAINT steps_state_check
    CHECK (state IN ('ready', 'delayed', 'running', 'paused', 'waiting', 'done', 'failed', 'cancelled'));

-- Claimed by pool, so that kinds that share one are served in the order of their ranks.
DROP INDEX steps_ready;
CREATE INDEX steps_ready ON steps (pool, rank, id) WHERE state = 'ready';

-- A hold may become a charge in part.
ALTER TABLE holds ADD COLUMN settled numeric(18, 6) NOT NULL DEFAULT 0 CHECK (settled >= 0 AND settled <= amount);
UPDATE holds SET settled = amount WHERE state = 'settled';

-- Who wants to hear of what happens in an organization: each transaction that tells something there adds a step of this
-- kind, which is given what was told.
CREATE TABLE event_followers (
    org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    kind         text NOT NULL,
    pool         text NOT NULL,
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    PRIMARY KEY (org_id, kind)
);
-- Jobs are found by what they are about.
CREATE INDEX steps_subject ON steps (subject_id) WHERE subject_id IS NOT NULL AND finished_at IS NULL;
-- What an order is about is written before the order, which then holds the tenant's books for one statement only.
ALTER TABLE articles ALTER CONSTRAINT articles_org_id_task_id_fkey DEFERRABLE INITIALLY DEFERRED;
