-- name: lock_session^
-- One writer at a time owns the file, so the read itself needs no lock and may join.
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin,
    t.id, t.input, t.runner, t.status, t.first_seq, t.attempt, t.stalled, t.faults, t.parked, t.open_asks, t.ready_at,
    t.worker, t.agent_version, t.created_at, t.started_at, t.claimed_at, t.metered_at, t.ended_at, t.reason, t.error,
    t.model
FROM sessions s LEFT JOIN turns t ON t.org = s.org AND t.session = s.id AND t.id = s.open_turn
WHERE s.org = :org AND s.id = :id;

-- name: acquire_lease!
INSERT INTO leases (org, session, kind, holder, ttl_seconds, last_seen_at, boot)
VALUES (:org, :session, :kind, :holder, :ttl_seconds, :now, :boot) ON CONFLICT DO NOTHING;

-- name: renew_lease!
UPDATE leases SET last_seen_at = :now
WHERE org = :org AND session = :session AND kind = :kind AND holder = :holder;

-- name: renew_presence!
UPDATE leases SET last_seen_at = :now, ttl_seconds = :ttl_seconds
WHERE org = :org AND session = :session AND kind = 'presence' AND holder = :holder;

-- name: lapsed_presences
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE org = :org AND kind = 'presence' AND ttl_seconds IS NOT NULL
    AND last_seen_at + ttl_seconds * 1000000 < :now
LIMIT :limit;

-- name: renew_presence_of^
UPDATE leases SET last_seen_at = :now
WHERE org = :org AND kind = 'presence' AND holder = :holder
    AND session = (SELECT r.session FROM refs r WHERE r.org = :org AND r.kind = :kind AND r.value = :value)
RETURNING session;

-- name: release_quiet_presence!
DELETE FROM leases
WHERE org = :org AND session = :session AND kind = 'presence' AND holder = :holder
    AND last_seen_at < :now - :quiet;

-- name: lapsed_leases
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE kind = 'turn' AND ttl_seconds IS NOT NULL AND last_seen_at + ttl_seconds * 1000000 < :now
LIMIT :limit;

-- name: remember!
INSERT INTO idempotency (org, key, operation, idempotency_key, request_hash, status, ids, created_at)
VALUES (:org, :key, :operation, :idempotency_key, :request_hash, :status, :ids, :created_at);

-- name: copy_events!
-- The second half of a UUID of version 7: two bits of variant, and 62 random ones.
INSERT INTO events (org, session, seq, id, type, v, at, turn, tx, data)
SELECT
    org, :target, seq,
    CAST(:prefix || substr(
        x'808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF',
        1 + (random() & 63), 1
    ) || randomblob(7) AS BLOB),
    type, v, at, turn, tx, data
FROM events WHERE org = :org AND session = :source AND seq > :after AND seq <= :upto;

-- name: put_blob!
INSERT INTO blobs (org, sha256, size, data) VALUES (:org, :sha256, :size, :data) ON CONFLICT DO NOTHING;

-- name: lock_blob^
SELECT size FROM blobs WHERE org = :org AND sha256 = :sha256;

-- name: claim_outbox
UPDATE outbox SET due_at = :until, attempts = attempts + 1
WHERE org = :org AND id IN (
    SELECT o.id FROM outbox o
    WHERE o.org = :org AND o.kind = :kind AND o.due_at <= :now ORDER BY o.due_at LIMIT :limit
)
RETURNING id, session, payload, attempts;
