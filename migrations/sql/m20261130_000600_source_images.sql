-- Pictures that stood in a source of an article's text. They are images of the article with the source `article`, and go
-- with the source that they were in.
ALTER TABLE images
    ADD COLUMN source_id uuid,
    -- Where it stands there: {"at": bytes of the text before it, "heading", "caption", "address"}.
    ADD COLUMN place jsonb,
    ADD FOREIGN KEY (org_id, source_id) REFERENCES research_sources (org_id, id) ON DELETE CASCADE;
CREATE INDEX images_of_source ON images (org_id, source_id) WHERE source_id IS NOT NULL;
