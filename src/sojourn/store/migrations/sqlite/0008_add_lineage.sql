-- The session whose log a fork shares, and up to which seq.
ALTER TABLE sessions ADD COLUMN forked_from BLOB;
ALTER TABLE sessions ADD COLUMN forked_seq INTEGER;

-- Most sessions are no forks, and stand in no index for it.
CREATE INDEX sessions_forks ON sessions (org, forked_from, created_at, id) WHERE forked_from IS NOT NULL;
