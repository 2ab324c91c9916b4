-- name: lock_session^
-- The open turn is read by a statement of its own, after this one has the lock: after a lock wait Postgres re-reads
-- the locked row only, so a turn joined here could be the one of before the wait.
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin
FROM sessions s
WHERE s.org = :org AND s.id = :id
FOR UPDATE;

-- name: try_lock_session^
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin
FROM sessions s
WHERE s.org = :org AND s.id = :id
FOR UPDATE SKIP LOCKED;

-- name: lock_org^
SELECT id FROM orgs WHERE id = :id FOR UPDATE;

-- name: lock_agent^
SELECT id FROM agents WHERE org = :org AND id = :id FOR UPDATE;

-- name: lock_alias^
-- There may be no row to lock yet. Two names of one hash wait for each other, which does no harm.
SELECT pg_advisory_xact_lock(hashtextextended(:place, 0));

-- name: lock_memories^
-- Not the agent's row: sessions that are made refer to that, and would wait for its memory.
SELECT pg_advisory_xact_lock(hashtextextended(:place, 0));

-- name: acquire_lease!
-- Leases are timed by the database's own clock, and by the moment of the statement: a transaction's start may lie
-- behind a lock wait.
INSERT INTO leases (org, session, kind, holder, ttl_seconds, last_seen_at, boot)
VALUES (
    :org, :session, :kind, :holder, :ttl_seconds, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, :boot
) ON CONFLICT DO NOTHING;

-- name: renew_lease!
UPDATE leases SET last_seen_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
WHERE org = :org AND session = :session AND kind = :kind AND holder = :holder;

-- name: driven_pulses^
SELECT string_agg(uuid_send(l.session) || int8send(l.seen) || int8send(s.revision), ''::bytea)
FROM (
        SELECT session, max(last_seen_at) AS seen FROM leases
        WHERE org = :org AND kind = 'presence' GROUP BY session
    ) l
    JOIN sessions s ON s.org = :org AND s.id = l.session AND s.status = 'open';

-- name: renew_presence!
UPDATE leases
SET last_seen_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, ttl_seconds = :ttl_seconds
WHERE org = :org AND session = :session AND kind = 'presence' AND holder = :holder;

-- name: lapsed_presences
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE org = :org AND kind = 'presence' AND ttl_seconds IS NOT NULL
    AND last_seen_at + ttl_seconds * 1000000 < extract(epoch FROM clock_timestamp()) * 1000000
LIMIT :limit;

-- name: renew_presence_of^
UPDATE leases SET last_seen_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
WHERE org = :org AND kind = 'presence' AND holder = :holder
    AND session = (SELECT r.session FROM refs r WHERE r.org = :org AND r.kind = :kind AND r.value = :value)
RETURNING session;

-- name: release_quiet_presence!
DELETE FROM leases
WHERE org = :org AND session = :session AND kind = 'presence' AND holder = :holder
    AND last_seen_at < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - :quiet::bigint;

-- name: lapsed_leases
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE kind = 'turn' AND ttl_seconds IS NOT NULL
    AND last_seen_at + ttl_seconds * 1000000 < extract(epoch FROM clock_timestamp()) * 1000000
LIMIT :limit;

-- name: next_tx^
-- A transaction has its own number before it waits for the session's row, so one with a higher number may have
-- written first. Taking that number too keeps the session's order, and hides nothing from a reader who stops below
-- the oldest transaction that still runs: the number taken is never lower than this transaction's own.
SELECT greatest(
    pg_current_xact_id()::text::bigint,
    (SELECT tx FROM events WHERE org = :org AND session = :session ORDER BY seq DESC LIMIT 1)
);

-- name: reserve_key!
INSERT INTO idempotency (org, key, operation, idempotency_key, created_at)
VALUES (:org, :key, :operation, :idempotency_key, :created_at) ON CONFLICT DO NOTHING;

-- name: remember!
UPDATE idempotency SET request_hash = :request_hash, status = :status, ids = :ids
WHERE org = :org AND key = :key AND operation = :operation AND idempotency_key = :idempotency_key;

-- name: copy_events!
-- The second half of a random UUID is that of one of version 7: two bits of variant, and 62 random ones.
INSERT INTO events (org, session, seq, id, type, v, at, turn, tx, data)
SELECT
    org, :target, seq, encode(:prefix::bytea || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid,
    type, v, at, turn, tx, data
FROM events WHERE org = :org AND session = :source AND seq > :after AND seq <= :upto;

-- name: put_blob!
-- A blob that is there already is locked until its new use is committed: a purge that looked for uses meanwhile would
-- not see this one, and remove the blob.
INSERT INTO blobs (org, sha256, size, data) VALUES (:org, :sha256, :size, :data)
ON CONFLICT (org, sha256) DO UPDATE SET size = excluded.size;

-- name: lock_blob^
-- A statement of its own: the next one sees the uses that were committed while this one waited.
SELECT size FROM blobs WHERE org = :org AND sha256 = :sha256 FOR UPDATE;

-- name: claim_outbox
-- Materialised, so that the rows are chosen and locked once; those that another process is taking are left to it.
WITH due AS MATERIALIZED (
    SELECT o.id FROM outbox o
    WHERE o.org = :org AND o.kind = :kind AND o.due_at <= :now
    ORDER BY o.due_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET due_at = :until, attempts = attempts + 1
FROM due WHERE outbox.org = :org AND outbox.id = due.id
RETURNING outbox.id, outbox.session, outbox.payload, outbox.attempts;
