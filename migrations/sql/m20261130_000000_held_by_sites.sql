-- A site may hold a post until its hour.
ALTER TABLE publications DROP CONSTRAINT publications_visibility_check;
ALTER TABLE publications ADD CONSTRAINT publications_visibility_check
    CHECK (visibility IN ('publish', 'draft', 'pending', 'future'));
