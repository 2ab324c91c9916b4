-- name: get_provider^
SELECT name, data, updated_at FROM providers WHERE org = :org AND name = :name;

-- name: list_providers
SELECT name, data, updated_at FROM providers WHERE org = :org ORDER BY name;

-- name: write_provider!
INSERT INTO providers (org, name, data, updated_at) VALUES (:org, :name, :data, :updated_at)
ON CONFLICT (org, name) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at;

-- name: delete_provider!
DELETE FROM providers WHERE org = :org AND name = :name;

-- name: get_model^
SELECT name, data, updated_at FROM models WHERE org = :org AND name = :name;

-- name: list_models
SELECT name, data, updated_at FROM models WHERE org = :org ORDER BY name;

-- name: write_model!
INSERT INTO models (org, name, data, updated_at) VALUES (:org, :name, :data, :updated_at)
ON CONFLICT (org, name) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at;

-- name: delete_model!
DELETE FROM models WHERE org = :org AND name = :name;

-- name: list_secrets
-- An organisation has few; a range of names would depend on the database's collation.
SELECT name, updated_at FROM secrets WHERE org = :org AND substr(name, 1, :length) = :prefix ORDER BY name;
