-- Room on every page, so that the many small changes of a task stay on it and touch no index.
ALTER TABLE tasks SET (fillfactor = 70);
-- Only maintenance has a key: no other step pays for the index.
ALTER TABLE steps DROP CONSTRAINT steps_unique_key_key;
CREATE UNIQUE INDEX steps_unique_key ON steps (unique_key) WHERE unique_key IS NOT NULL;
