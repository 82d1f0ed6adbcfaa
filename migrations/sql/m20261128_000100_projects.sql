-- Projects become a resource of their own. An older program that still runs knows none of the columns: all have a default.
ALTER TABLE projects
    ADD COLUMN platform     text NOT NULL DEFAULT 'wordpress'
        CHECK (platform IN ('woocommerce', 'shopify', 'magento2', 'wordpress')),
    ADD COLUMN status       text NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'processing', 'review', 'completed')),
    ADD COLUMN slug         text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
    ADD COLUMN domain       text,
    ADD COLUMN description  text NOT NULL DEFAULT '',
    ADD COLUMN settings     jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN completed_at timestamptz,
    -- When it went into the trash.
    ADD COLUMN deleted_at   timestamptz,
    ADD COLUMN updated_at   timestamptz NOT NULL DEFAULT now();

-- The first of a name has its plain slug, all further ones the end of their id behind it.
WITH based AS (
    SELECT id, org_id, created_at, coalesce(nullif(trim(BOTH '-' FROM
        left(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), 60)), ''), 'project') AS base
    FROM projects),
numbered AS (SELECT id, base, row_number() OVER (PARTITION BY org_id, base ORDER BY created_at, id) AS number FROM based)
UPDATE projects p SET updated_at = p.created_at,
    slug = n.base || CASE WHEN n.number = 1 THEN '' ELSE '-' || right(p.id::text, 12) END
FROM numbered n WHERE n.id = p.id;

CREATE UNIQUE INDEX projects_slug ON projects (org_id, slug);
CREATE INDEX projects_newest ON projects (org_id, created_at DESC, id);
CREATE INDEX articles_project ON articles (org_id, project_id) WHERE project_id IS NOT NULL;

-- Files are listed, and looked for by whoever shows them.
CREATE INDEX files_newest ON files (org_id, created_at DESC, id);
CREATE INDEX articles_cover ON articles (org_id, cover_file_id) WHERE cover_file_id IS NOT NULL;
