-- name: get_memory^
SELECT path, sha256, size, created_at, updated_at, actor, key, session, turn, text FROM memories
WHERE org = :org AND agent = :agent AND path = :path;

-- name: list_memories
-- Of all that begins with `directory/` nothing comes behind `directory0`, its next character; `end` is that, or beyond
-- every path.
SELECT path, sha256, size, created_at, updated_at, actor, key, session, turn FROM memories
WHERE org = :org AND agent = :agent AND path > :after AND path < :end ORDER BY path LIMIT :limit;

-- name: read_memories
SELECT path, text FROM memories
WHERE org = :org AND agent = :agent AND path > :after AND path < :end ORDER BY path LIMIT :limit;

-- name: memory_above^
SELECT path FROM memories
WHERE org = :org AND agent = :agent AND substr(CAST(:path AS text), 1, length(path) + 1) = path || '/' LIMIT 1;

-- name: weigh_memories^
SELECT count(*), COALESCE(sum(size), 0) FROM memories WHERE org = :org AND agent = :agent;

-- name: write_memory!
INSERT INTO memories (org, agent, path, sha256, size, created_at, updated_at, actor, key, session, turn, text)
VALUES (:org, :agent, :path, :sha256, :size, :created_at, :updated_at, :actor, :key, :session, :turn, :text)
ON CONFLICT (org, agent, path) DO UPDATE SET
    sha256 = excluded.sha256, size = excluded.size, updated_at = excluded.updated_at, actor = excluded.actor,
    key = excluded.key, session = excluded.session, turn = excluded.turn, text = excluded.text;

-- name: delete_memory!
DELETE FROM memories WHERE org = :org AND agent = :agent AND path = :path;
