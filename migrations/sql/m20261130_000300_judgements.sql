-- What a judge said of a sentence and a passage, so that the same pair is not paid for twice. The hash is over both and over
-- the model with the version of the question.
CREATE TABLE judgements (
    org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    judgement  text NOT NULL CHECK (judgement IN ('yes', 'partly', 'no')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, hash)
);
CREATE INDEX judgements_age ON judgements (created_at);
