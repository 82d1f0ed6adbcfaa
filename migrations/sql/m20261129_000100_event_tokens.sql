-- Tokens that open the events of one task for a few minutes, for clients that cannot send a key: the browser's EventSource.

CREATE TABLE event_tokens (
    -- SHA-256 of the token, which itself is not stored.
    hash       bytea PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    task_id    uuid NOT NULL,
    -- The key that made it. The token ends with it.
    key_id     uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, key_id) REFERENCES api_keys (org_id, id) ON DELETE CASCADE
);
CREATE INDEX event_tokens_of_task ON event_tokens (org_id, task_id);
CREATE INDEX event_tokens_of_key ON event_tokens (org_id, key_id);
CREATE INDEX event_tokens_expired ON event_tokens (expires_at);
