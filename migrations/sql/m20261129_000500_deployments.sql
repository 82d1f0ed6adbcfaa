-- What was asked to be published at once, what sites told and were told, and texts that were written at a site.

-- Where a text comes from: written here, or brought from a site.
ALTER TABLE articles ADD COLUMN source text NOT NULL DEFAULT 'galley' CHECK (source IN ('galley', 'wordpress'));

-- One call to publish, for one project. How far it has come is seen by its publications.
CREATE TABLE deployments (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    project_id      uuid NOT NULL,
    -- The call, which may be about several projects.
    publish_id      uuid NOT NULL,
    deployment_type text NOT NULL DEFAULT 'incremental' CHECK (deployment_type IN ('full', 'incremental')),
    -- Counts from 1 in the project.
    version         integer NOT NULL,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    UNIQUE (org_id, project_id, version),
    FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE
);
CREATE INDEX deployments_newest ON deployments (org_id, created_at DESC, id);
CREATE INDEX deployments_publish ON deployments (org_id, publish_id);
-- Whoever asks for the public definition of a site has no account.
CREATE INDEX projects_public ON projects (slug) WHERE settings->'public_site_definition' = 'true';

ALTER TABLE publications
    ADD FOREIGN KEY (org_id, deployment_id) REFERENCES deployments (org_id, id) ON DELETE SET NULL (deployment_id);
-- A post of a site is one text here.
CREATE INDEX publications_external ON publications (org_id, connection_id, external_id) WHERE external_id IS NOT NULL;

-- What happened between a site and us.
CREATE TABLE site_events (
    id            uuid PRIMARY KEY,
    org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    connection_id uuid NOT NULL,
    -- webhook, structure, sync.
    event_type    text NOT NULL,
    action        text NOT NULL,
    success       boolean NOT NULL,
    message       text NOT NULL DEFAULT '',
    article_id    uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE CASCADE
);
CREATE INDEX site_events_newest ON site_events (org_id, connection_id, created_at DESC, id);
