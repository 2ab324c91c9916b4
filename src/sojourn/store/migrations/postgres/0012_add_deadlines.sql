ALTER TABLE timers DROP CONSTRAINT timers_kind_check;

ALTER TABLE timers
ADD CONSTRAINT timers_kind_check CHECK (kind IN ('idle', 'lifetime', 'turn', 'start', 'log', 'retain'));

-- The newest claim; from each one a runner has a time to start.
ALTER TABLE turns ADD COLUMN claimed_at bigint;

-- Most inputs wait as long as it takes, and stand in no index for it.
ALTER TABLE inputs ADD COLUMN expires_at bigint;

CREATE INDEX inputs_due ON inputs (org, expires_at) WHERE status = 'queued' AND expires_at IS NOT NULL;
