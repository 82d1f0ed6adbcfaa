-- Endpoints of an organization that hear of what happens there. Their secrets are in `secrets`, sealed.
CREATE TABLE webhooks (
    id                  uuid PRIMARY KEY,
    org_id              uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    url                 text NOT NULL,
    description         text NOT NULL DEFAULT '',
    events              text[] NOT NULL DEFAULT '{*}',
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    disabled_reason     text CHECK (disabled_reason IN ('failing', 'gone', 'manual')),
    -- Since when there were only failures.
    failing_since       timestamptz,
    last_failure_at     timestamptz,
    last_delivery_at    timestamptz,
    last_success_at     timestamptz,
    -- Until then messages are signed with the secret before the current one, too.
    previous_secret_expires_at timestamptz,
    format              text NOT NULL DEFAULT 'standard' CHECK (format IN ('standard', '003')),
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, id),
    CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
);
CREATE INDEX webhooks_newest ON webhooks (org_id, created_at DESC, id);

-- One message to one endpoint.
CREATE TABLE webhook_deliveries (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    webhook_id      uuid NOT NULL,
    -- What it speaks of: a task, an article.
    subject_id      uuid,
    message_id      text NOT NULL,
    event_type      text NOT NULL,
    status          text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts_count  integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    -- When it happened; of what is sent again, when that was asked for.
    created_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    resend_of       uuid,
    -- Exactly as it is signed and sent.
    payload         text NOT NULL,
    sequence        bigint NOT NULL,
    -- What waits goes out by place, time and position; what is replayed stands behind what is new.
    place           integer NOT NULL DEFAULT 0,
    position        bigint NOT NULL DEFAULT 0,
    -- The step that sends it now, and how long the others leave it alone.
    taken_by        uuid,
    taken_until     timestamptz,
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, webhook_id) REFERENCES webhooks (org_id, id) ON DELETE CASCADE,
    CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (org_id, webhook_id, created_at DESC, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (org_id, webhook_id, place, next_attempt_at, position, id)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_taken ON webhook_deliveries (taken_by) WHERE status = 'pending' AND taken_by IS NOT NULL;
CREATE INDEX webhook_deliveries_message ON webhook_deliveries (org_id, webhook_id, message_id);
CREATE INDEX webhook_deliveries_progress ON webhook_deliveries (org_id, subject_id, created_at)
    WHERE event_type IN ('task.progressed', 'content.progress') AND resend_of IS NULL;
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
    org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    delivery_id   uuid NOT NULL,
    -- Counts from 1.
    number        integer NOT NULL,
    at            timestamptz NOT NULL,
    duration_ms   integer NOT NULL,
    status_code   integer,
    error         text,
    -- The first 2 KiB of the answer.
    response_body text,
    PRIMARY KEY (delivery_id, number),
    FOREIGN KEY (org_id, delivery_id) REFERENCES webhook_deliveries (org_id, id) ON DELETE CASCADE
);
