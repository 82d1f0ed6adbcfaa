-- Since when everybody may read the site of a project: of several with one slug the first that was opened has the address.
ALTER TABLE projects ADD COLUMN opened_at timestamptz;
UPDATE projects SET opened_at = created_at WHERE settings->'public_site_definition' = 'true';
