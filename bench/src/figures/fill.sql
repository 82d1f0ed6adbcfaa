-- Finished tasks as the engine leaves them: one draft, twenty events. Ids are those of a year ago, so that they sort
-- before new ones as real ones would. Foreign keys are not looked at while filling; they hold.
SET session_replication_role = replica;
SET synchronous_commit = off;
CREATE FUNCTION pg_temp.past(prefix text, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT (prefix || lpad(to_hex(number), 10, '0') || '700080000000000000')::uuid $$;
CREATE TEMP TABLE kinds AS SELECT * FROM unnest(
    '{research,outline,draft,seo,image,sync}'::text[], '{15,25,80,90,95,100}'::int[]) WITH ORDINALITY
    AS k(kind, progress, at);
INSERT INTO tasks (id, org_id, kind, status, input, subject_id, rank, event_seq, progress, steps_completed, price,
    trace_id, created_at, started_at, finished_at)
SELECT pg_temp.past('0191', g), o.id, 'article', 'completed',
    '{"brief": {"prompt": "A finished article", "keywords": [], "tone": "professional", "language": "en",
      "words": {"min": 100, "max": 200}}, "reference_links": [], "content_format": "markdown"}',
    pg_temp.past('0192', g), 0, 20, 100, '{research,outline,drafting,seo,image,sync}', 40, md5(g::text),
    now() - interval '1 year', now() - interval '1 year', now() - interval '1 year'
FROM generate_series(1, {count}) g, organizations o;
INSERT INTO steps (id, org_id, task_id, kind, pool, state, attempt, max_attempts, output, trace_id, worker, run_at,
    created_at, started_at, finished_at)
SELECT pg_temp.past('0193', g * 6 + k.at), o.id, pg_temp.past('0191', g), k.kind, k.kind, 'done', 1, 4,
    '{"sources": 0, "words": 0, "text": "what a step leaves behind in its own row"}', md5(g::text), 'galley-1',
    now() - interval '1 year', now() - interval '1 year', now() - interval '1 year', now() - interval '1 year'
FROM generate_series(1, {count}) g CROSS JOIN kinds k CROSS JOIN organizations o ORDER BY g, k.at;
INSERT INTO event_groups (org_id, task_id, seq, told, created_at)
SELECT o.id, pg_temp.past('0191', g), s * 3 - 1,
    (SELECT jsonb_agg(jsonb_build_object('kind', 'step.completed', 'data',
        '{"run": 1, "step": "drafting", "attempt": 1, "position": 0, "max_attempts": 4}'::jsonb))
    FROM generate_series(1, CASE s WHEN 1 THEN 2 ELSE 3 END)), now() - interval '1 year'
FROM generate_series(1, {count}) g CROSS JOIN generate_series(1, 7) s CROSS JOIN organizations o;
INSERT INTO articles (id, org_id, task_id, status, title, slug, content_format, tone, language, version, created_at)
SELECT pg_temp.past('0192', g), o.id, pg_temp.past('0191', g), 'draft', 'A finished article', 'past-' || g, 'markdown',
    'professional', 'en', 1, now() - interval '1 year'
FROM generate_series(1, {count}) g, organizations o;
INSERT INTO holds (task_id, run, org_id, amount, settled, state)
SELECT pg_temp.past('0191', g), 1, o.id, 40, 40, 'settled' FROM generate_series(1, {count}) g, organizations o;
DROP FUNCTION pg_temp.past(text, bigint);
