-- name: insert_event*!
INSERT INTO events (org, session, seq, id, type, v, at, turn, tx, data)
VALUES (:org, :session, :seq, :id, :type, :v, :at, :turn, :tx, :data);

-- name: events_after
SELECT seq, id, type, v, at, turn, tx, data FROM events
WHERE org = :org AND session = :session AND seq > :after
ORDER BY seq LIMIT :limit;

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
