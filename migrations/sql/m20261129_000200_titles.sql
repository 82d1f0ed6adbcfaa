-- Titles in the order that readers expect, the same on every server: case and accents decide last, and 2 comes before 10.
-- A Postgres without ICU has only the order of code points.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION galley_titles (provider = icu, locale = 'und-u-kn-true');
    ELSE
        CREATE COLLATION galley_titles FROM "C";
    END IF;
END $$;
