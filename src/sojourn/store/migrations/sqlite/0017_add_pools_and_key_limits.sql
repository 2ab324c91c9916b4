-- The pool whose workers claim an external agent's turns; NULL, also of versions made before this, is the default one.
ALTER TABLE agent_versions ADD COLUMN pool TEXT;

-- Which turns a worker with this key may claim, as JSON; most keys have no limits. What read sessions and reported
-- presences under the role worker has the role reporter now: a worker sees the turns that it claimed.
CREATE TABLE new_keys (
    org BLOB NOT NULL REFERENCES orgs (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'admin' OR role = 'member' OR role = 'reporter' OR role = 'worker'),
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    limits TEXT,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;

INSERT INTO new_keys (org, id, name, role, token_hash, created_at, revoked_at)
SELECT org, id, name, CASE role WHEN 'worker' THEN 'reporter' ELSE role END, token_hash, created_at, revoked_at FROM keys;

DROP TABLE keys;

ALTER TABLE new_keys RENAME TO keys;
