-- name: get_webhook^
SELECT type, url, is_signed, updated_at FROM webhooks WHERE org = :org AND type = :type;

-- name: list_webhooks
SELECT type, url, is_signed, updated_at FROM webhooks WHERE org = :org ORDER BY type;

-- name: write_webhook!
INSERT INTO webhooks (org, type, url, is_signed, updated_at) VALUES (:org, :type, :url, :is_signed, :updated_at)
ON CONFLICT (org, type) DO UPDATE
SET url = excluded.url, is_signed = excluded.is_signed, updated_at = excluded.updated_at;

-- name: delete_webhook!
DELETE FROM webhooks WHERE org = :org AND type = :type;

-- name: orgs_to_tell
SELECT DISTINCT org FROM outbox WHERE kind = :kind AND due_at <= :now;

-- name: insert_outbox!
INSERT INTO outbox (org, id, session, kind, payload, due_at)
VALUES (:org, :id, :session, :kind, :payload, :due_at);

-- name: settle_outbox!
DELETE FROM outbox WHERE org = :org AND id = :id;

-- name: postpone_outbox!
-- The number of the claim is its fence: whoever claimed the row since decides when it is due.
UPDATE outbox SET due_at = :due_at WHERE org = :org AND id = :id AND attempts = :attempts;

-- name: due_outbox
-- By organisation, as the index is; there are few rows at any time.
SELECT org, id, session, payload, attempts FROM outbox
WHERE kind = :kind AND due_at <= :now ORDER BY due_at, id LIMIT :limit;

-- name: fail_outbox!
UPDATE outbox SET due_at = :due_at, attempts = attempts + 1 WHERE org = :org AND id = :id;
