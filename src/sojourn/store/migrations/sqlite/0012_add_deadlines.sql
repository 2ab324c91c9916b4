-- SQLite cannot change a check, so the table is made anew.
CREATE TABLE deadlines (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (
        kind = 'idle' OR kind = 'lifetime' OR kind = 'turn' OR kind = 'start' OR kind = 'log' OR kind = 'retain'
    ),
    due_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, kind)
) WITHOUT ROWID;

INSERT INTO deadlines (org, session, kind, due_at) SELECT org, session, kind, due_at FROM timers;

DROP TABLE timers;

ALTER TABLE deadlines RENAME TO timers;

CREATE INDEX timers_due ON timers (org, due_at);

-- The newest claim; from each one a runner has a time to start.
ALTER TABLE turns ADD COLUMN claimed_at INTEGER;

-- Most inputs wait as long as it takes, and stand in no index for it.
ALTER TABLE inputs ADD COLUMN expires_at INTEGER;

CREATE INDEX inputs_due ON inputs (org, expires_at) WHERE status = 'queued' AND expires_at IS NOT NULL;
