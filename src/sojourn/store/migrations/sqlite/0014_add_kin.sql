-- The session that has started this one, and the session's place in its tree as JSON; both null of most.
ALTER TABLE sessions ADD COLUMN parent BLOB;
ALTER TABLE sessions ADD COLUMN kin TEXT;

CREATE INDEX sessions_children ON sessions (org, parent, created_at, id) WHERE parent IS NOT NULL;

-- A turn may wait for another session. SQLite cannot change a condition, so the table is made anew.
CREATE TABLE questions (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    id BLOB NOT NULL,
    turn BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (
        kind = 'approval' OR kind = 'client_tool' OR kind = 'question' OR kind = 'session'
    ),
    prompt TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'open' OR status = 'decided' OR status = 'void'),
    on_expire TEXT NOT NULL CHECK (on_expire = 'allow' OR on_expire = 'deny' OR on_expire = 'answer'),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, id)
) WITHOUT ROWID;

INSERT INTO questions (org, session, id, turn, kind, prompt, status, on_expire, expires_at, created_at)
SELECT org, session, id, turn, kind, prompt, status, on_expire, expires_at, created_at FROM asks;

DROP TABLE asks;

ALTER TABLE questions RENAME TO asks;

CREATE INDEX asks_due ON asks (org, expires_at) WHERE status = 'open' AND expires_at IS NOT NULL;
