-- name: insert_org!
INSERT INTO orgs (id, name, created_at) VALUES (:id, :name, :created_at) ON CONFLICT DO NOTHING;

-- name: get_org^
SELECT id, name, policy, revision, created_at FROM orgs WHERE id = :id;

-- name: write_org!
UPDATE orgs SET name = :name, policy = :policy, revision = :revision WHERE id = :id;

-- name: write_key!
INSERT INTO keys (org, id, name, role, limits, token_hash, created_at, revoked_at)
VALUES (:org, :id, :name, :role, :limits, :token_hash, :created_at, :revoked_at)
ON CONFLICT (org, id) DO UPDATE SET revoked_at = excluded.revoked_at;

-- name: find_key^
SELECT org, id, name, role, limits, token_hash, created_at, revoked_at FROM keys WHERE token_hash = :token_hash;

-- name: get_key^
SELECT org, id, name, role, limits, token_hash, created_at, revoked_at FROM keys WHERE org = :org AND id = :id;

-- name: list_keys
SELECT org, id, name, role, limits, token_hash, created_at, revoked_at FROM keys WHERE org = :org ORDER BY id;

-- name: write_secret!
INSERT INTO secrets (org, name, sealed, updated_at) VALUES (:org, :name, :sealed, :updated_at)
ON CONFLICT (org, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at;

-- name: delete_secret!
DELETE FROM secrets WHERE org = :org AND name = :name;

-- name: delete_secrets_between!
DELETE FROM secrets WHERE org = :org AND name > :low AND name < :high;

-- name: get_secret^
SELECT sealed FROM secrets WHERE org = :org AND name = :name;

-- name: insert_agent!
INSERT INTO agents (org, id, name, version, created_at) VALUES (:org, :id, :name, :version, :created_at)
ON CONFLICT DO NOTHING;

-- name: write_agent!
UPDATE agents SET name = :name, version = :version WHERE org = :org AND id = :id;

-- name: archive_agent!
UPDATE agents SET archived_at = :archived_at WHERE org = :org AND id = :id;

-- name: insert_agent_version!
INSERT INTO agent_versions (org, agent, version, spec, pool, created_at)
VALUES (:org, :agent, :version, :spec, :pool, :created_at);

-- name: get_agent^
SELECT a.id, v.version, v.spec, a.created_at, v.created_at, a.archived_at
FROM agents a JOIN agent_versions v ON v.org = a.org AND v.agent = a.id AND v.version = a.version
WHERE a.org = :org AND a.id = :id;

-- name: get_agent_version^
SELECT a.id, v.version, v.spec, a.created_at, v.created_at, a.archived_at
FROM agents a JOIN agent_versions v ON v.org = a.org AND v.agent = a.id
WHERE a.org = :org AND a.id = :id AND v.version = :version;

-- name: find_agent^
SELECT a.id, v.version, v.spec, a.created_at, v.created_at, a.archived_at
FROM agents a JOIN agent_versions v ON v.org = a.org AND v.agent = a.id AND v.version = a.version
WHERE a.org = :org AND a.name = :name;

-- name: recall^
SELECT request_hash, status, ids FROM idempotency
WHERE org = :org AND key = :key AND operation = :operation AND idempotency_key = :idempotency_key;

-- name: forget_before!
DELETE FROM idempotency WHERE org = :org AND (key, operation, idempotency_key) IN (
    SELECT i.key, i.operation, i.idempotency_key FROM idempotency i
    WHERE i.org = :org AND i.created_at < :cutoff ORDER BY i.created_at LIMIT :limit
);

-- name: any_key^
SELECT id FROM keys WHERE org = :org LIMIT 1;
