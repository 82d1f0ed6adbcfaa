-- A slug is one of its project; articles without a project share a group of their own.
ALTER TABLE articles DROP CONSTRAINT articles_org_id_slug_key;
CREATE UNIQUE INDEX articles_slug
    ON articles (org_id, slug, coalesce(project_id, '00000000-0000-0000-0000-000000000000'::uuid));
