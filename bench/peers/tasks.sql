-- One tenant with the tasks of a run; :tasks is their number.
INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Bench');
INSERT INTO tasks (id, org_id, kind, status, input, rank, price, trace_id)
SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'article', 'pending', '{"topic": "Bench"}', n, 0,
    replace(gen_random_uuid()::text, '-', '')
FROM generate_series(1, :tasks) AS n;
