-- Pictures of articles. Their bytes, in full size and in several smaller ones, are in the file store.

CREATE TABLE images (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    article_id   uuid NOT NULL,
    source       text NOT NULL CHECK (source IN ('upload', 'stock', 'ai', 'card', 'article')),
    -- Of the bytes: jpeg, png or webp.
    kind         text NOT NULL CHECK (kind IN ('jpeg', 'png', 'webp')),
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    file_size    bigint NOT NULL,
    sha256       text NOT NULL,
    -- Where the bytes are in the file store. What belongs to the picture alone has its id in the name.
    blob         text NOT NULL,
    -- {"thumb_webp": {"blob", "kind", "width", "height", "size", "sha256"}, …}; empty until somebody asks for one.
    variants     jsonb NOT NULL DEFAULT '{}',
    -- Of all bytes that belong to the picture alone.
    stored_bytes bigint NOT NULL,
    alt_text     text NOT NULL CHECK (alt_text <> ''),
    -- Of a stock photo: {"photographer", "url"}.
    credit       jsonb,
    is_featured  boolean NOT NULL DEFAULT false,
    position     integer NOT NULL,
    -- Of a title card: the file that has its bytes.
    file_id      uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, file_id) REFERENCES files (org_id, id) ON DELETE CASCADE
);
CREATE INDEX images_of_article ON images (org_id, article_id, position);
CREATE UNIQUE INDEX images_featured ON images (org_id, article_id) WHERE is_featured;
CREATE UNIQUE INDEX images_card ON images (org_id, article_id) WHERE source = 'card';
CREATE INDEX images_file ON images (org_id, file_id) WHERE file_id IS NOT NULL;

-- The cards that there are already.
INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob, stored_bytes, alt_text,
    is_featured, position, file_id, created_at, updated_at)
SELECT gen_random_uuid(), a.org_id, a.id, 'card', 'png', 1200, 630, f.size, f.sha256, f.blob, 0,
    coalesce(nullif(trim(a.cover_alt), ''), nullif(trim(a.title), ''), 'Title card'), true, 0, f.id, f.created_at, f.created_at
FROM articles a JOIN files f ON f.org_id = a.org_id AND f.id = a.cover_file_id
WHERE f.kind = 'png';

-- Keys of organizations for providers of stock photos. The key itself is in `secrets`, under the id of its row.
CREATE TABLE stock_photo_keys (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    provider   text NOT NULL CHECK (provider IN ('pexels')),
    is_active  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    UNIQUE (org_id, provider)
);
