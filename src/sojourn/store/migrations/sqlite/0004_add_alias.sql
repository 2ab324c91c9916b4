-- An outside name that sessions may share: the newest of them is meant by it.
ALTER TABLE sessions ADD COLUMN alias TEXT;

UPDATE sessions SET alias = (
    SELECT json_extract(f.data, '$.runtimeSessionId') FROM facets f
    WHERE f.org = sessions.org AND f.session = sessions.id AND f.dialect = 'kodexa'
);

-- Most sessions have none, and stand in no index for it. A longer one is only shown.
CREATE INDEX sessions_alias ON sessions (org, alias, created_at, id) WHERE length(alias) <= 256;
