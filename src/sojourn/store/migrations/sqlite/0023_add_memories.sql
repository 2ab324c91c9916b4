-- What agents remember, shared by their sessions. The text stands last: a list reads the rows and not the texts.
CREATE TABLE memories (
    org BLOB NOT NULL,
    agent BLOB NOT NULL,
    path TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    key BLOB,
    session BLOB,
    turn BLOB,
    text TEXT NOT NULL,
    PRIMARY KEY (org, agent, path),
    FOREIGN KEY (org, agent) REFERENCES agents (org, id)
);
