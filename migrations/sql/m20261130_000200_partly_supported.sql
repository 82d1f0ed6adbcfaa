-- A sentence may be supported in part.
ALTER TABLE claims DROP CONSTRAINT claims_verdict_check;
ALTER TABLE claims
    ADD CONSTRAINT claims_verdict_check CHECK (verdict IN ('supported', 'partly', 'unsupported', 'no_claim'));
