-- Who is told when a session has ended, at most one of a type. The secret that signs is among the secrets.
CREATE TABLE webhooks (
    org BLOB NOT NULL REFERENCES orgs (id),
    type TEXT NOT NULL,
    url TEXT NOT NULL,
    is_signed INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, type)
) WITHOUT ROWID;
