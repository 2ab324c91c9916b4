-- The session that has started this one, and the session's place in its tree as JSON; both null of most.
ALTER TABLE sessions ADD COLUMN parent uuid;
ALTER TABLE sessions ADD COLUMN kin text;

CREATE INDEX sessions_children ON sessions (org, parent, created_at, id) WHERE parent IS NOT NULL;

-- A turn may wait for another session.
ALTER TABLE asks DROP CONSTRAINT asks_kind_check;
ALTER TABLE asks ADD CONSTRAINT asks_kind_check CHECK (kind IN ('approval', 'client_tool', 'question', 'session'));
