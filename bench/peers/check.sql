-- Tasks that are completed with six outputs of six kinds and eighteen events without a gap; then all tasks, steps, events.
SELECT
    (SELECT count(*) FROM tasks t
     WHERE t.status = 'completed' AND t.progress = 100 AND cardinality(t.steps_completed) = 6 AND t.event_seq = 18
        AND (SELECT count(*) = 6 AND count(DISTINCT s.kind) = 6 AND count(s.output) = 6
            FROM steps s WHERE s.task_id = t.id AND s.state = 'done')
        AND (SELECT count(*) = 18 AND min(e.seq) = 1 AND max(e.seq) = 18 FROM events e WHERE e.task_id = t.id)),
    (SELECT count(*) FROM tasks), (SELECT count(*) FROM steps), (SELECT count(*) FROM events);
