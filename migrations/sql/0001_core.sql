-- Tenants, people, keys --------------------------------------------------------------------------------------------

CREATE TABLE organizations (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    -- What the organization owns, held credits included; equals the sum of its ledger entries.
    balance     numeric(18, 6) NOT NULL DEFAULT 0 CHECK (balance >= 0),
    -- The part of the balance that running orders have reserved; equals the sum of its open holds.
    held        numeric(18, 6) NOT NULL DEFAULT 0 CHECK (held >= 0 AND held <= balance),
    -- The queue rank of the newest order: orders of one tenant stand behind each other, not in front of other tenants.
    last_rank   bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email       text NOT NULL,
    name        text NOT NULL,
    role        text NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id      uuid,
    name         text NOT NULL,
    -- The first characters, so that a person can tell keys apart; the key itself is not stored.
    prefix       text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    permissions  text[] NOT NULL,
    scopes       text[] NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE TABLE projects (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);

-- Credits ----------------------------------------------------------------------------------------------------------

CREATE TABLE ledger_entries (
    id            uuid PRIMARY KEY,
    org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    task_id       uuid,
    kind          text NOT NULL CHECK (kind IN ('grant', 'charge')),
    amount        numeric(18, 6) NOT NULL,
    balance_after numeric(18, 6) NOT NULL,
    note          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);
CREATE INDEX ledger_entries_newest ON ledger_entries (org_id, created_at DESC);

-- Tasks, steps, events ---------------------------------------------------------------------------------------------

-- How far the queue has come: ranks of new orders start behind it, so that a tenant who was idle does not wait for
-- the backlog of another, and does not overtake with saved-up ranks either.
CREATE SEQUENCE fair_clock;

CREATE TABLE tasks (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    kind            text NOT NULL,
    status          text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    input           jsonb NOT NULL,
    article_id      uuid,
    rank            bigint NOT NULL,
    -- Which try of the whole order this is; a retry by the client starts the next run.
    run             integer NOT NULL DEFAULT 1,
    -- The run whose research is written from; 0 while nothing was read.
    sources_run     integer NOT NULL DEFAULT 0,
    -- The number of the newest event; events of a task are numbered without gaps under the lock of this row.
    event_seq       bigint NOT NULL DEFAULT 0,
    progress        smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    current_step    text,
    steps_completed text[] NOT NULL DEFAULT '{}',
    -- Steps that run side by side and must all end before the next kind starts.
    fan_open        integer NOT NULL DEFAULT 0 CHECK (fan_open >= 0),
    fan_total       integer NOT NULL DEFAULT 0,
    warnings        jsonb NOT NULL DEFAULT '[]',
    error_code      text,
    error_message   text,
    price           numeric(18, 6) NOT NULL,
    trace_id        text NOT NULL,
    api_key_id      uuid,
    -- Whether retention has not yet taken them.
    events_kept     boolean NOT NULL DEFAULT true,
    steps_kept      boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);
CREATE INDEX tasks_newest ON tasks (org_id, created_at DESC, id);
CREATE INDEX tasks_by_status ON tasks (org_id, status, created_at DESC, id);
-- What the sweep has left to do, and nothing of what it has done.
CREATE INDEX tasks_events_kept ON tasks (finished_at) WHERE finished_at IS NOT NULL AND events_kept;
CREATE INDEX tasks_steps_kept ON tasks (finished_at) WHERE finished_at IS NOT NULL AND steps_kept;

CREATE TABLE holds (
    task_id     uuid NOT NULL,
    run         integer NOT NULL,
    org_id      uuid NOT NULL,
    amount      numeric(18, 6) NOT NULL CHECK (amount >= 0),
    state       text NOT NULL CHECK (state IN ('open', 'settled', 'released')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    PRIMARY KEY (task_id, run),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX holds_open ON holds (org_id) WHERE state = 'open';

-- A step is the job. org_id and task_id are empty for maintenance only.
CREATE TABLE steps (
    id            uuid PRIMARY KEY,
    org_id        uuid,
    task_id       uuid,
    run           integer NOT NULL DEFAULT 1,
    kind          text NOT NULL,
    -- Tells steps of one kind in one run apart: the section that a draft step writes.
    position      integer NOT NULL DEFAULT 0,
    state         text NOT NULL CHECK (state IN ('ready', 'delayed', 'running', 'done', 'failed', 'cancelled')),
    rank          bigint NOT NULL DEFAULT 0,
    attempt       integer NOT NULL DEFAULT 0,
    max_attempts  integer NOT NULL CHECK (max_attempts > 0),
    run_at        timestamptz NOT NULL DEFAULT now(),
    lease         uuid,
    lease_until   timestamptz,
    worker        text,
    output        jsonb,
    error_code    text,
    error_message text,
    trace_id      text NOT NULL,
    -- Only for maintenance: one step a slot of its schedule.
    unique_key    text UNIQUE,
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE,
    CHECK ((org_id IS NULL) = (task_id IS NULL)),
    CHECK ((state = 'running') = (lease IS NOT NULL)),
    UNIQUE (task_id, run, kind, position)
);
-- What can be claimed, in the order of claiming.
CREATE INDEX steps_ready ON steps (kind, rank, id) WHERE state = 'ready';
-- What becomes claimable by the clock alone.
CREATE INDEX steps_delayed ON steps (run_at) WHERE state = 'delayed';
CREATE INDEX steps_leased ON steps (lease_until) WHERE state = 'running';
CREATE INDEX steps_finished ON steps (finished_at) WHERE finished_at IS NOT NULL AND task_id IS NULL;

CREATE TABLE events (
    org_id      uuid NOT NULL,
    task_id     uuid NOT NULL,
    seq         bigint NOT NULL,
    kind        text NOT NULL,
    data        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task_id, seq),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE
);

-- What calls to paid services used. Append-only and not fenced by a lease: what was paid for was paid for.
CREATE TABLE usage_records (
    id                uuid PRIMARY KEY,
    org_id            uuid NOT NULL,
    task_id           uuid NOT NULL,
    step_id           uuid NOT NULL,
    attempt           integer NOT NULL,
    -- The lease tells attempts apart, also when one was given back and its number is used again.
    lease             uuid NOT NULL,
    -- Which call of the attempt: a repeated write of the same attempt changes nothing.
    ordinal           integer NOT NULL,
    provider          text NOT NULL,
    model             text NOT NULL,
    operation         text NOT NULL,
    prompt_tokens     bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    estimated         boolean NOT NULL,
    cost_usd          numeric(18, 9) NOT NULL,
    duration_ms       bigint NOT NULL,
    outcome           text NOT NULL CHECK (outcome IN ('ok', 'failed', 'cancelled')),
    created_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (lease, ordinal),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX usage_records_task ON usage_records (task_id);

-- Files, sources, articles -----------------------------------------------------------------------------------------

CREATE TABLE files (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name        text NOT NULL,
    kind        text NOT NULL,
    size        bigint NOT NULL,
    sha256      text NOT NULL,
    -- Where the bytes are in the file store.
    blob        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);
CREATE INDEX files_blob ON files (org_id, blob);

CREATE TABLE articles (
    id               uuid PRIMARY KEY,
    org_id           uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    project_id       uuid,
    task_id          uuid,
    status           text NOT NULL CHECK (status IN ('generating', 'draft', 'scheduled', 'published', 'archived', 'failed')),
    title            text NOT NULL,
    slug             text NOT NULL,
    content_markdown text NOT NULL DEFAULT '',
    -- Which form the client that ordered it calls `content`: markdown or html.
    content_format   text NOT NULL CHECK (content_format IN ('markdown', 'html')),
    seo_title        text NOT NULL DEFAULT '',
    seo_description  text NOT NULL DEFAULT '',
    keywords         text[] NOT NULL DEFAULT '{}',
    tone             text NOT NULL,
    length           text,
    language         text NOT NULL,
    word_count       integer NOT NULL DEFAULT 0,
    writer           text NOT NULL DEFAULT '',
    seo_report       jsonb,
    cover_file_id    uuid,
    cover_alt        text,
    error            text,
    -- Counts from 1 at the first text; 0 while generating.
    version          integer NOT NULL DEFAULT 0,
    published_at     timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    UNIQUE (org_id, slug),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE SET NULL (project_id),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE SET NULL (task_id),
    FOREIGN KEY (org_id, cover_file_id) REFERENCES files (org_id, id) ON DELETE SET NULL (cover_file_id)
);
CREATE INDEX articles_newest ON articles (org_id, created_at DESC, id);
CREATE INDEX articles_by_status ON articles (org_id, status, created_at DESC, id);
CREATE INDEX articles_task ON articles (task_id);

CREATE TABLE article_versions (
    org_id           uuid NOT NULL,
    article_id       uuid NOT NULL,
    version          integer NOT NULL,
    -- What made it: generated, edited, restored.
    reason           text NOT NULL,
    title            text NOT NULL,
    slug             text NOT NULL,
    content_markdown text NOT NULL,
    seo_title        text NOT NULL,
    seo_description  text NOT NULL,
    keywords         text[] NOT NULL,
    status           text NOT NULL,
    word_count       integer NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (article_id, version),
    FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE
);

-- What was read, frozen, so that a claim can be checked years later.
CREATE TABLE research_sources (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    task_id     uuid NOT NULL,
    -- Each run that reads keeps what it read: the claims of older versions rest on it.
    run         integer NOT NULL,
    number      integer NOT NULL,
    origin      jsonb NOT NULL,
    title       text NOT NULL,
    language    text,
    text        text NOT NULL,
    sha256      text NOT NULL,
    words       integer NOT NULL,
    fetched_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    UNIQUE (task_id, run, number),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE
);

CREATE TABLE claims (
    org_id      uuid NOT NULL,
    article_id  uuid NOT NULL,
    -- The version of the article that the sentence stands in.
    version     integer NOT NULL,
    position    integer NOT NULL,
    section     integer NOT NULL,
    sentence    text NOT NULL,
    verdict     text NOT NULL CHECK (verdict IN ('supported', 'unsupported', 'no_claim')),
    source_id   uuid,
    -- Byte offsets into the source's text.
    span_start  integer,
    span_end    integer,
    coverage    smallint NOT NULL,
    missing     text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (article_id, version, position),
    FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, source_id) REFERENCES research_sources (org_id, id) ON DELETE SET NULL (source_id)
);

CREATE INDEX claims_source ON claims (org_id, source_id) WHERE source_id IS NOT NULL;

-- Effects outside of the database, written down before they are tried.
CREATE TABLE publications (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    article_id  uuid NOT NULL,
    task_id     uuid,
    destination text NOT NULL,
    version     integer NOT NULL,
    state       text NOT NULL CHECK (state IN ('intended', 'sent', 'confirmed', 'unknown', 'failed')),
    remote_ref  text,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    UNIQUE (article_id, destination, version),
    FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE
);

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    key         text NOT NULL,
    -- Method and path, then a hash of the body: the same key for another request is a conflict.
    operation   text NOT NULL,
    body_hash   bytea NOT NULL,
    status      smallint NOT NULL,
    response    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
