-- The vector of a text as an embedding model made it, so that the same text is not paid for twice. The hash is over the text
-- and the model.
CREATE TABLE embeddings (
    org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    vector     real[] NOT NULL CHECK (cardinality(vector) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, hash)
);
CREATE INDEX embeddings_age ON embeddings (created_at);
