-- An entry without a digest is a directory. SQLite cannot let a column become null, so the table is made anew.
CREATE TABLE area (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    path TEXT NOT NULL,
    sha256 BLOB,
    size INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    readonly INTEGER NOT NULL DEFAULT FALSE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, path)
) WITHOUT ROWID;

INSERT INTO area (org, session, path, sha256, size, seq, created_at, updated_at)
SELECT f.org, f.session, f.path, f.sha256, f.size, f.seq, e.at, e.at
FROM files f JOIN events e ON e.org = f.org AND e.session = f.session AND e.seq = f.seq;

DROP TABLE files;

ALTER TABLE area RENAME TO files;
