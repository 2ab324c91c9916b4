-- What a session adds to its agent, as JSON; most add nothing.
ALTER TABLE sessions ADD COLUMN overlay TEXT;

CREATE INDEX asks_open ON asks (org, session, id) WHERE status = 'open';
