-- What agents remember, shared by their sessions. The text stands last: a list reads the rows and not the texts.
CREATE TABLE memories (
    org uuid NOT NULL,
    agent uuid NOT NULL,
    path text COLLATE "C" NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    actor text NOT NULL,
    key uuid,
    session uuid,
    turn uuid,
    text text NOT NULL,
    PRIMARY KEY (org, agent, path),
    FOREIGN KEY (org, agent) REFERENCES agents (org, id)
);
