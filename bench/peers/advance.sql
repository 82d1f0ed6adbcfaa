-- What the end of a step writes, for the tasks $1 and their steps $2 (0 to 5): the finished step with its output, the
-- three events that Galley writes, progress. The rows are as wide as Galley's. A SELECT from `moved` has to follow.
WITH given AS (
    SELECT g.task, k.* FROM unnest($1::uuid[], $2::integer[]) AS g(task, step)
    JOIN (VALUES
        (0, 'research', 'research', 'outline', 15, '{"words": 0, "sources": 0}'::jsonb),
        (1, 'outline', 'outline', 'drafting', 25, '{"title": "Bench", "sections": [{"words": {"max": 1, "min": 1}, "points": [], "heading": null, "passages": []}]}'),
        (2, 'draft', 'drafting', 'seo', 80, '{"paragraphs": []}'),
        (3, 'seo', 'seo', 'image', 90, '{"words": 0, "claims": 0, "version": 1, "article_id": "00000000-0000-0000-0000-000000000000"}'),
        (4, 'image', 'image', 'sync', 95, '{"cover_file_id": null}'),
        (5, 'sync', 'sync', NULL, 100, '{"published_to": null}')
    ) AS k(step, kind, name, next, progress, output) USING (step)),
moved AS (
    UPDATE tasks t SET status = CASE WHEN g.next IS NULL THEN 'completed' ELSE 'processing' END,
        event_seq = t.event_seq + 3, progress = g.progress, current_step = g.next,
        steps_completed = t.steps_completed || g.name, started_at = coalesce(t.started_at, now()),
        finished_at = CASE WHEN g.next IS NULL THEN now() END, updated_at = now()
    FROM given g WHERE t.id = ANY($1::uuid[]) AND t.id = g.task
    RETURNING t.id, t.org_id, t.rank, t.status, t.event_seq, t.progress, t.current_step, t.steps_completed,
        g.step, g.kind, g.name, g.output),
kept AS (
    INSERT INTO steps (id, org_id, task_id, kind, pool, state, rank, attempt, max_attempts, output, trace_id, started_at,
        finished_at)
    SELECT gen_random_uuid(), org_id, id, kind, 'models', 'done', rank, 1, 4, output, replace(id::text, '-', ''), now(), now()
    FROM moved),
told AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT m.org_id, m.id, m.event_seq, jsonb_build_array(
        jsonb_build_object('kind', 'step.started', 'data', d.step),
        jsonb_build_object('kind', 'step.completed', 'data', d.step),
        jsonb_build_object('kind', CASE WHEN m.status = 'completed' THEN 'task.completed' ELSE 'task.progress' END,
            'data', d.task))
    FROM moved m CROSS JOIN LATERAL (
        SELECT jsonb_build_object('step', m.name, 'position', 0, 'attempt', 1, 'max_attempts', 4, 'run', 1) AS step,
            jsonb_build_object('status', m.status, 'progress', m.progress, 'current_step', m.current_step,
                'steps_completed', m.steps_completed) AS task) AS d)
