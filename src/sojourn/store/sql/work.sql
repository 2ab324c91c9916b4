-- name: write_turn!
INSERT INTO turns (
    org, session, id, input, runner, status, first_seq, attempt, stalled, faults, parked, open_asks, ready_at, worker,
    agent_version, created_at, started_at, claimed_at, metered_at, ended_at, reason, error, model
) VALUES (
    :org, :session, :id, :input, :runner, :status, :first_seq, :attempt, :stalled, :faults, :parked, :open_asks, :ready_at,
    :worker, :agent_version, :created_at, :started_at, :claimed_at, :metered_at, :ended_at, :reason, :error, :model
) ON CONFLICT (org, session, id) DO UPDATE SET
    status = excluded.status, attempt = excluded.attempt, stalled = excluded.stalled, faults = excluded.faults,
    parked = excluded.parked, open_asks = excluded.open_asks, ready_at = excluded.ready_at,
    worker = excluded.worker, agent_version = excluded.agent_version, started_at = excluded.started_at,
    claimed_at = excluded.claimed_at, metered_at = excluded.metered_at, ended_at = excluded.ended_at, reason = excluded.reason, error = excluded.error;

-- name: get_turn^
SELECT
    id, input, runner, status, first_seq, attempt, stalled, faults, parked, open_asks, ready_at, worker, agent_version,
    created_at, started_at, claimed_at, metered_at, ended_at, reason, error, model
FROM turns WHERE org = :org AND session = :session AND id = :id;

-- name: delete_turn!
DELETE FROM turns WHERE org = :org AND session = :session AND id = :id;

-- name: list_turns
SELECT
    id, input, runner, status, first_seq, attempt, stalled, faults, parked, open_asks, ready_at, worker, agent_version,
    created_at, started_at, claimed_at, metered_at, ended_at, reason, error, model
FROM turns WHERE org = :org AND session = :session AND first_seq > :after
ORDER BY first_seq LIMIT :limit;

-- name: orgs
SELECT id FROM orgs;

-- name: ready_turns
SELECT org, session FROM turns
WHERE org = :org AND runner = :runner AND status IN ('queued', 'retrying') AND ready_at <= :now
ORDER BY ready_at LIMIT :limit;

-- name: write_input!
INSERT INTO inputs (
    org, session, id, turn, kind, delivery, content, status, priority, position, rank, revision, received_at, expires_at,
    model
) VALUES (
    :org, :session, :id, :turn, :kind, :delivery, :content, :status, :priority, :position, :rank, :revision, :received_at,
    :expires_at, :model
) ON CONFLICT (org, session, id) DO UPDATE SET
    content = excluded.content, revision = excluded.revision, priority = excluded.priority, rank = excluded.rank;

-- name: shift_inputs!
UPDATE inputs SET rank = rank + :by
WHERE org = :org AND session = :session AND status = 'queued' AND rank BETWEEN :low AND :high;

-- name: mark_delivered!
UPDATE inputs SET status = 'delivered', turn = :turn WHERE org = :org AND session = :session AND id = :id;

-- name: mark_withdrawn!
UPDATE inputs SET status = 'withdrawn' WHERE org = :org AND session = :session AND id = :id;

-- name: get_input^
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs WHERE org = :org AND session = :session AND id = :id;

-- name: input_of_turn^
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs WHERE org = :org AND session = :session AND turn = :turn AND status <> 'delivered';

-- name: list_inputs
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs WHERE org = :org AND session = :session AND position > :after
ORDER BY position LIMIT :limit;

-- name: list_inputs_by_status
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs WHERE org = :org AND session = :session AND position > :after AND status = :status
ORDER BY position LIMIT :limit;

-- name: list_queue
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs
WHERE org = :org AND session = :session AND status = 'queued' AND (priority, rank) > (:priority, :rank)
ORDER BY priority, rank LIMIT :limit;

-- name: last_queued^
SELECT id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at, model
FROM inputs
WHERE org = :org AND session = :session AND status = 'queued' AND id <> :id
ORDER BY priority DESC, rank DESC LIMIT 1;

-- name: queued_inputs
-- The open turn's own input is queued until the first claim delivers it; it is not behind itself.
SELECT
    i.id, i.turn, i.kind, i.delivery, i.content, i.status, i.position, i.rank, i.priority, i.received_at, i.revision,
    i.expires_at, i.model
FROM inputs i
WHERE i.org = :org AND i.session = :session AND i.status = 'queued'
    AND NOT EXISTS (
        SELECT 1 FROM turns t WHERE t.org = i.org AND t.session = i.session AND t.id = i.turn
    )
ORDER BY i.priority, i.rank LIMIT :limit;

-- name: queued_steers
SELECT
    i.id, i.turn, i.kind, i.delivery, i.content, i.status, i.position, i.rank, i.priority, i.received_at, i.revision,
    i.expires_at, i.model
FROM inputs i
WHERE i.org = :org AND i.session = :session AND i.status = 'queued' AND i.delivery = 'steer'
    AND NOT EXISTS (
        SELECT 1 FROM turns t WHERE t.org = i.org AND t.session = i.session AND t.id = i.turn
    )
ORDER BY i.priority, i.rank LIMIT :limit;

-- name: write_ask!
INSERT INTO asks (org, session, id, turn, kind, prompt, status, on_expire, expires_at, created_at)
VALUES (:org, :session, :id, :turn, :kind, :prompt, :status, :on_expire, :expires_at, :created_at)
ON CONFLICT (org, session, id) DO UPDATE SET status = excluded.status;

-- name: void_asks!
UPDATE asks SET status = 'void'
WHERE org = :org AND session = :session AND turn = :turn AND status = 'open';

-- name: get_ask^
SELECT id, turn, kind, prompt, status, on_expire, expires_at, created_at
FROM asks WHERE org = :org AND session = :session AND id = :id;

-- name: list_asks
SELECT id, turn, kind, prompt, status, on_expire, expires_at, created_at
FROM asks WHERE org = :org AND session = :session AND id > :after ORDER BY id LIMIT :limit;

-- name: open_asks
SELECT id, turn, kind, prompt, status, on_expire, expires_at, created_at
FROM asks WHERE org = :org AND session = :session AND status = 'open' AND id > :after ORDER BY id LIMIT :limit;

-- name: due_asks
SELECT org, session, id FROM asks
WHERE org = :org AND status = 'open' AND expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: due_inputs
SELECT org, session, id FROM inputs
WHERE org = :org AND status = 'queued' AND expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: write_timer!
INSERT INTO timers (org, session, kind, due_at) VALUES (:org, :session, :kind, :due_at)
ON CONFLICT (org, session, kind) DO UPDATE SET due_at = excluded.due_at;

-- name: clear_timer!
DELETE FROM timers WHERE org = :org AND session = :session AND kind = :kind;

-- name: due_timers
SELECT org, session, kind FROM timers WHERE org = :org AND due_at <= :now ORDER BY due_at LIMIT :limit;

-- name: insert_lease!
INSERT INTO leases (org, session, kind, holder, ttl_seconds, last_seen_at, boot)
VALUES (:org, :session, :kind, :holder, :ttl_seconds, :now, :boot);

-- name: release_lease!
DELETE FROM leases WHERE org = :org AND session = :session AND kind = :kind AND holder = :holder;

-- name: release_leases!
DELETE FROM leases WHERE org = :org AND session = :session AND kind = :kind;

-- name: boot_leases
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE kind = 'turn' AND boot IS NOT NULL AND boot <> :boot;

-- name: list_presences
SELECT org, session, kind, holder, ttl_seconds, last_seen_at, boot FROM leases
WHERE org = :org AND session = :session AND kind = 'presence' ORDER BY holder;

-- name: refresh_leases!
UPDATE leases SET last_seen_at = :now WHERE ttl_seconds IS NOT NULL;
