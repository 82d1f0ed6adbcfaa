-- What models answered, where the operator keeps it, so that a task can be replayed without them. Lease and ordinal are those
-- of the usage record of the call; run, kind, position and attempt say which step it was, also when the step is swept.
CREATE TABLE model_answers (
    org_id            uuid NOT NULL,
    task_id           uuid NOT NULL,
    lease             uuid NOT NULL,
    ordinal           integer NOT NULL,
    run               integer NOT NULL,
    kind              text NOT NULL,
    position          integer NOT NULL,
    attempt           integer NOT NULL,
    model             text NOT NULL,
    operation         text NOT NULL,
    -- SHA-256 of the question.
    question          bytea NOT NULL CHECK (length(question) = 32),
    answer            text NOT NULL,
    ended             text NOT NULL CHECK (ended IN ('stop', 'length', 'too_long')),
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lease, ordinal),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX model_answers_task ON model_answers (task_id);
CREATE INDEX model_answers_age ON model_answers (created_at);
