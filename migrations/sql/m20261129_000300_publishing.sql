-- Articles are published to blogs: where that can be, what was sent, and at which hour.

ALTER TABLE articles DROP CONSTRAINT articles_status_check;
ALTER TABLE articles ADD CONSTRAINT articles_status_check CHECK (status IN
    ('awaiting_input', 'generating', 'draft', 'review', 'approved', 'scheduled', 'published', 'archived', 'failed'));

-- A site with what opens it; the password is among the secrets. Seen as a blog connection (one that has a login) and as
-- the integration of a project.
CREATE TABLE connections (
    id                   uuid PRIMARY KEY,
    org_id               uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- The project whose integration it is.
    project_id           uuid,
    platform             text NOT NULL CHECK (platform IN ('woocommerce', 'shopify', 'magento2', 'wordpress')),
    name                 text NOT NULL,
    -- Without a slash at its end.
    site_url             text NOT NULL,
    -- Empty when the site's plugin is the only partner.
    username             text NOT NULL DEFAULT '',
    is_active            boolean NOT NULL DEFAULT true,
    sync_enabled         boolean NOT NULL DEFAULT false,
    sync_status          text NOT NULL DEFAULT 'idle' CHECK (sync_status IN ('idle', 'syncing', 'error')),
    sync_error           text,
    config               jsonb NOT NULL DEFAULT '{}',
    metadata             jsonb NOT NULL DEFAULT '{}',
    -- As the site said last.
    categories           jsonb,
    categories_cached_at timestamptz,
    -- When something was last published or read through it.
    last_synced_at       timestamptz,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE SET NULL (project_id)
);
CREATE UNIQUE INDEX connections_login ON connections (org_id, platform, site_url, username) WHERE username <> '';
CREATE UNIQUE INDEX connections_integration ON connections (org_id, project_id, platform) WHERE project_id IS NOT NULL;
CREATE INDEX connections_newest ON connections (org_id, created_at DESC, id);

CREATE TABLE blog_templates (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name                text NOT NULL,
    description         text NOT NULL DEFAULT '',
    tone                text,
    structure           jsonb NOT NULL DEFAULT '{}',
    custom_instructions text NOT NULL DEFAULT '',
    is_default          boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id)
);
CREATE UNIQUE INDEX blog_templates_default ON blog_templates (org_id) WHERE is_default;
CREATE INDEX blog_templates_newest ON blog_templates (org_id, created_at DESC, id);

ALTER TABLE articles
    ADD COLUMN post_type       text NOT NULL DEFAULT 'general' CHECK (post_type IN ('general', 'product')),
    ADD COLUMN topic           text,
    ADD COLUMN excerpt         text,
    ADD COLUMN focus_keyword   text,
    -- By name, `A > B` where one stands under another.
    ADD COLUMN categories      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tags            text[] NOT NULL DEFAULT '{}',
    -- Of the blog.
    ADD COLUMN wp_category_ids bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN source_item_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN product_links   jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN ai_settings     jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN template_id     uuid,
    -- A picture elsewhere that stands for one of our own.
    ADD COLUMN featured_url    text,
    -- The task that writes its text anew, while that has not ended; task_id is the one whose text stands.
    ADD COLUMN rewrite_task_id uuid,
    -- What the blog calls it, and where it is to be read.
    ADD COLUMN external_id     text,
    ADD COLUMN external_url    text,
    -- Where it was published last.
    ADD COLUMN connection_id   uuid,
    -- Why the newest publication failed; the text is as good as before.
    ADD COLUMN publish_error   text,
    -- The publication that waits for its hour or is under way.
    ADD COLUMN publication_id  uuid,
    ADD COLUMN scheduled_at    timestamptz,
    -- Zone, wall time and what was said of it, what becomes of a missed hour.
    ADD COLUMN schedule        jsonb,
    -- A date without a promise.
    ADD COLUMN planned_for     date,
    ADD FOREIGN KEY (org_id, template_id) REFERENCES blog_templates (org_id, id) ON DELETE SET NULL (template_id),
    ADD FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE SET NULL (connection_id);
CREATE INDEX articles_scheduled ON articles (org_id, scheduled_at) WHERE scheduled_at IS NOT NULL;
CREATE INDEX articles_planned ON articles (org_id, planned_for) WHERE planned_for IS NOT NULL;
CREATE INDEX articles_published ON articles (org_id, published_at) WHERE published_at IS NOT NULL;
CREATE INDEX articles_template ON articles (org_id, template_id) WHERE template_id IS NOT NULL;
CREATE INDEX articles_connection ON articles (org_id, connection_id) WHERE connection_id IS NOT NULL;

-- One attempt to put an article somewhere, or the note that somebody else did.
CREATE TABLE publications (
    id            uuid PRIMARY KEY,
    org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    article_id    uuid NOT NULL,
    connection_id uuid,
    -- The kind of place: wordpress, folder.
    destination   text NOT NULL,
    -- Publications that were asked for at once.
    deployment_id uuid,
    task_id       uuid,
    -- As what it is to stand there.
    visibility    text NOT NULL DEFAULT 'publish' CHECK (visibility IN ('publish', 'draft', 'pending')),
    status        text NOT NULL CHECK (status IN ('pending', 'publishing', 'published', 'failed', 'retracted')),
    -- Over what others changed there.
    force         boolean NOT NULL DEFAULT false,
    -- The hour that was promised.
    due_at        timestamptz,
    -- Of the article that went out.
    version       integer,
    external_id   text,
    external_url  text,
    -- What was sent, by field, to compare with what is there; of the newest publication only.
    sent          jsonb,
    error_code    text,
    error_message text,
    published_at  timestamptz,
    metadata      jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE SET NULL (connection_id)
);
CREATE INDEX publications_newest ON publications (org_id, created_at DESC, id);
CREATE INDEX publications_article ON publications (org_id, article_id, created_at DESC);
CREATE INDEX publications_connection ON publications (org_id, connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX publications_deployment ON publications (org_id, deployment_id) WHERE deployment_id IS NOT NULL;

-- Addresses under which calendars are read by whoever has them.
CREATE TABLE calendar_feeds (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name       text NOT NULL,
    -- All projects when empty.
    project_id uuid,
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE
);
CREATE INDEX calendar_feeds_newest ON calendar_feeds (org_id, created_at DESC, id);
