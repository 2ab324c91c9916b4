-- A client's own word for a session's state, which stands until that state next changes.
ALTER TABLE sessions ADD COLUMN stated_status text;
