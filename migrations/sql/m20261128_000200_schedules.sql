-- Recurring schedules and what became of each time at which they came due.

CREATE TABLE schedules (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name            text NOT NULL,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'ended')),
    -- Cron or rule with zone, start and end, as galley-recurrence writes it.
    recurrence      jsonb NOT NULL,
    -- What is done, in the words of whoever made the schedule.
    action          jsonb NOT NULL,
    -- The same, checked and complete: for an order the input of its task.
    work            jsonb NOT NULL,
    -- What becomes of missed times: {policy, within_hours}.
    missed          jsonb NOT NULL,
    max_per_day     integer CHECK (max_per_day > 0),
    -- Of the articles that are ordered. Not a reference: a project that is gone is the reason why a run fails.
    project_id      uuid,
    -- Who made it; what it orders is ordered with this key.
    api_key_id      uuid,
    -- Everything up to and including this time is dealt with.
    last_considered timestamptz NOT NULL,
    -- When it is looked at next; null while nothing is to come.
    next_due        timestamptz,
    -- Failed runs since the last one that was ordered.
    failures        integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- The number of the pending step that counts. One with another number is out of date and does nothing.
    tick            bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- When a person last changed it, or its status changed.
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    CHECK (status = 'active' OR next_due IS NULL)
);
CREATE INDEX schedules_newest ON schedules (org_id, created_at DESC, id);
-- For whoever looks for schedules that lost their step.
CREATE INDEX schedules_due ON schedules (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE schedule_runs (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL,
    schedule_id  uuid NOT NULL,
    due_at       timestamptz NOT NULL,
    fired_at     timestamptz,
    trigger      text NOT NULL CHECK (trigger IN ('schedule', 'manual')),
    status       text NOT NULL CHECK (status IN ('fired', 'skipped', 'missed', 'asked', 'failed')),
    late_seconds integer NOT NULL DEFAULT 0 CHECK (late_seconds >= 0),
    task_id      uuid,
    article_id   uuid,
    reason       text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, schedule_id) REFERENCES schedules (org_id, id) ON DELETE CASCADE,
    CHECK ((status = 'fired') = (fired_at IS NOT NULL))
);
-- A time comes once, whoever fires.
CREATE UNIQUE INDEX schedule_runs_once ON schedule_runs (org_id, schedule_id, due_at) WHERE trigger = 'schedule';
CREATE INDEX schedule_runs_newest ON schedule_runs (org_id, schedule_id, due_at DESC, id);
CREATE INDEX schedule_runs_made ON schedule_runs (org_id, schedule_id, created_at DESC, id DESC);
CREATE INDEX schedule_runs_fired ON schedule_runs (org_id, schedule_id, fired_at) WHERE fired_at IS NOT NULL;
CREATE INDEX schedule_runs_asked ON schedule_runs (org_id, schedule_id) WHERE status = 'asked';
