-- Logs whose beginning is gone, and what is still to be removed of them: everything before the seq `upto`.
CREATE TABLE trims (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (org, session)
) WITHOUT ROWID;
