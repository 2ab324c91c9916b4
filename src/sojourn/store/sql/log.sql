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

-- name: get_file^
SELECT b.data FROM files f JOIN blobs b ON b.org = f.org AND b.sha256 = f.sha256
WHERE f.org = :org AND f.session = :session AND f.path = :path;

-- name: list_files
SELECT path, size FROM files WHERE org = :org AND session = :session ORDER BY path;

-- name: write_file!
INSERT INTO files (org, session, path, sha256, size, seq)
VALUES (:org, :session, :path, :sha256, :size, :seq)
ON CONFLICT (org, session, path) DO UPDATE
SET sha256 = excluded.sha256, size = excluded.size, seq = excluded.seq;
