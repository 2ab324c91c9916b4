-- What a session was doing when it ended: one that expires at work has failed, one that expires idle has not.
ALTER TABLE sessions ADD COLUMN ended_activity TEXT;
