-- name: insert_event*!
INSERT INTO events (org, session, seq, id, type, v, at, turn, tx, data)
VALUES (:org, :session, :seq, :id, :type, :v, :at, :turn, :tx, :data);

-- name: events_after
SELECT seq, id, type, v, at, turn, tx, data FROM events
WHERE org = :org AND session = :session AND seq > :after
ORDER BY seq LIMIT :limit;

-- name: get_blob^
SELECT data FROM blobs WHERE org = :org AND sha256 = :sha256;

-- name: put_blob!
INSERT INTO blobs (org, sha256, size, data) VALUES (:org, :sha256, :size, :data) ON CONFLICT DO NOTHING;

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
