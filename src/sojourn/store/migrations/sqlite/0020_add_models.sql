-- Whom an organisation asks, and its own names for models. A provider's key is a reference; secrets hold the values.
CREATE TABLE providers (
    org BLOB NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, name)
) WITHOUT ROWID;

CREATE TABLE models (
    org BLOB NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, name)
) WITHOUT ROWID;
