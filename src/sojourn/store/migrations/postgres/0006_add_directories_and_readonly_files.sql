-- An entry without a digest is a directory.
ALTER TABLE files ALTER COLUMN sha256 DROP NOT NULL;
ALTER TABLE files ADD COLUMN readonly boolean NOT NULL DEFAULT FALSE;
ALTER TABLE files ADD COLUMN created_at bigint;
ALTER TABLE files ADD COLUMN updated_at bigint;

UPDATE files SET created_at = e.at, updated_at = e.at
FROM events e WHERE e.org = files.org AND e.session = files.session AND e.seq = files.seq;

ALTER TABLE files ALTER COLUMN created_at SET NOT NULL;
ALTER TABLE files ALTER COLUMN updated_at SET NOT NULL;
