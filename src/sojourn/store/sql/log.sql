-- name: insert_event*!
INSERT INTO events (org, session, seq, id, type, v, at, turn, tx, data)
VALUES (:org, :session, :seq, :id, :type, :v, :at, :turn, :tx, :data);

-- name: events_after
SELECT seq, id, type, v, at, turn, tx, data FROM events
WHERE org = :org AND session = :session AND seq > :after
    AND seq >= coalesce((SELECT s.first_seq FROM sessions s WHERE s.org = :org AND s.id = :session), 1)
ORDER BY seq LIMIT :limit;

-- name: cut_log!
UPDATE sessions SET first_seq = :first_seq WHERE org = :org AND id = :session;

-- name: insert_trim!
INSERT INTO trims (org, session, upto) VALUES (:org, :session, :upto)
ON CONFLICT (org, session) DO UPDATE SET upto = excluded.upto;

-- name: list_trims
SELECT org, session, upto FROM trims LIMIT :limit;

-- name: delete_trim!
DELETE FROM trims WHERE org = :org AND session = :session AND upto = :upto;

-- name: trim_events!
DELETE FROM events WHERE org = :org AND session = :session AND seq IN (
    SELECT e.seq FROM events e
    WHERE e.org = :org AND e.session = :session AND e.seq < :upto ORDER BY e.seq LIMIT :limit
);

-- name: blobs_before
SELECT DISTINCT sha256 FROM blob_uses
WHERE org = :org AND session = :session AND seq < :upto ORDER BY sha256 LIMIT :limit;

-- name: trim_blob_uses!
DELETE FROM blob_uses WHERE org = :org AND session = :session AND sha256 = :sha256 AND seq < :upto;

-- name: trim_files!
DELETE FROM files WHERE org = :org AND session = :session AND seq < :upto;

-- name: trim_inputs!
DELETE FROM inputs WHERE org = :org AND session = :session AND position < :upto;

-- name: trim_asks!
DELETE FROM asks WHERE org = :org AND session = :session AND turn IN (
    SELECT t.id FROM turns t WHERE t.org = :org AND t.session = :session AND t.first_seq < :upto
);

-- name: get_blob^
SELECT data FROM blobs WHERE org = :org AND sha256 = :sha256;

-- name: use_blob*!
INSERT INTO blob_uses (org, session, seq, sha256) VALUES (:org, :session, :seq, :sha256);

-- name: uses_blob^
SELECT 1 FROM blob_uses WHERE org = :org AND sha256 = :sha256 AND session = :session LIMIT 1;

-- name: copy_blob_uses!
INSERT INTO blob_uses (org, session, seq, sha256)
SELECT org, :target, seq, sha256 FROM blob_uses
WHERE org = :org AND session = :source AND seq > :after AND seq <= :upto;

-- name: used_blobs
SELECT DISTINCT sha256 FROM blob_uses WHERE org = :org AND session = :session ORDER BY sha256 LIMIT :limit;

-- name: delete_blob_uses!
DELETE FROM blob_uses WHERE org = :org AND session = :session AND sha256 = :sha256;

-- name: delete_unused_blob!
DELETE FROM blobs
WHERE org = :org AND sha256 = :sha256
    AND NOT EXISTS (SELECT 1 FROM blob_uses u WHERE u.org = :org AND u.sha256 = :sha256);

-- name: count_files^
SELECT count(*) FROM files WHERE org = :org AND session = :session;

-- name: write_file!
INSERT INTO files (org, session, path, sha256, size, seq, readonly, created_at, updated_at)
VALUES (:org, :session, :path, :sha256, :size, :seq, :readonly, :created_at, :updated_at)
ON CONFLICT (org, session, path) DO UPDATE
SET sha256 = excluded.sha256, size = excluded.size, seq = excluded.seq, readonly = excluded.readonly,
    updated_at = excluded.updated_at;

-- name: delete_file!
-- The entry, and what is below it. No pattern: a path may hold any character.
DELETE FROM files
WHERE org = :org AND session = :session
    AND (path = :path OR substr(path, 1, length(:path) + 1) = :path || '/');
