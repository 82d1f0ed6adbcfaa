-- One ledger for everything that is done outside of the database: publications become effects of one kind among others.

ALTER TABLE publications RENAME TO effects;
ALTER TABLE effects RENAME CONSTRAINT publications_pkey TO effects_pkey;
ALTER TABLE effects RENAME CONSTRAINT publications_org_id_id_key TO effects_org_id_id_key;
ALTER TABLE effects RENAME CONSTRAINT publications_state_check TO effects_state_check;
-- A subject may be anything; whoever deletes one for good deletes its effects.
ALTER TABLE effects DROP CONSTRAINT publications_org_id_article_id_fkey;
ALTER TABLE effects DROP CONSTRAINT publications_article_id_destination_version_key;
ALTER TABLE effects RENAME COLUMN article_id TO subject_id;
ALTER TABLE effects RENAME COLUMN version TO key;
-- What tells effects of one kind and subject at one destination apart: the version, for publications.
ALTER TABLE effects ALTER COLUMN key TYPE text USING key::text;
ALTER TABLE effects
    -- A word of the pipeline that does it.
    ADD COLUMN kind text NOT NULL DEFAULT 'publication',
    -- The step that wrote last, and its lease: as long as it has that, nobody else sends.
    ADD COLUMN step_id uuid,
    ADD COLUMN lease uuid,
    ADD FOREIGN KEY (org_id) REFERENCES organizations ON DELETE CASCADE,
    -- The subject goes first: the effects of one are listed, and deleted with it.
    ADD UNIQUE (org_id, subject_id, kind, destination, key);
ALTER TABLE effects ALTER COLUMN kind DROP DEFAULT;
