-- Which events refer to a blob: it is read through their sessions only, and is removed with the last of them.
CREATE TABLE blob_uses (
    org uuid NOT NULL,
    session uuid NOT NULL,
    seq bigint NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (org, session, seq, sha256)
);

CREATE INDEX blob_uses_blob ON blob_uses (org, sha256, session);

INSERT INTO blob_uses (org, session, seq, sha256)
SELECT e.org, e.session, e.seq, b.sha256
FROM (
        SELECT org, session, seq, substr(data, 20, 64) AS sha256 FROM events WHERE data LIKE '{"blob":{"sha256":"%'
        UNION ALL
        SELECT org, session, seq, data::json ->> 'sha256' FROM events WHERE type = 'file.written'
    ) e
    JOIN blobs b ON b.org = e.org AND encode(b.sha256, 'hex') = e.sha256;
