-- What organizations entrust to us, encrypted: a dump of this table opens nothing without an envelope key.
CREATE TABLE secrets (
    org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- Part of what is authenticated: a secret that is set again gets a new one.
    id          uuid NOT NULL,
    purpose     text NOT NULL,
    name        text NOT NULL,
    -- Which envelope key the data key is encrypted with.
    key_id      text NOT NULL,
    wrapped_key bytea NOT NULL CHECK (octet_length(wrapped_key) <= 256),
    -- A secret of up to 8 KiB with nonce and tag.
    sealed      bytea NOT NULL CHECK (octet_length(sealed) <= 8448),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, purpose, name)
);
-- Counting and rotating go by envelope key.
CREATE INDEX secrets_key ON secrets (key_id, org_id, id);
