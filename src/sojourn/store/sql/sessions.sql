-- name: insert_session!
INSERT INTO sessions (
    org, id, agent, agent_version, runner, status, activity, fence, next_seq, first_seq, revision, open_turn, turns,
    queued_inputs, presences, policy, created_at, opened_at, active_at, updated_at, origin, title, metadata, tags,
    external_id, alias, stated_status, forked_from, forked_seq, overlay, parent, kin
) VALUES (
    :org, :id, :agent, :agent_version, :runner, :status, :activity, :fence, :next_seq, :first_seq, :revision, NULL, 0,
    0, :presences, :policy, :created_at, :created_at, :created_at, :created_at, :origin, :title, :metadata, :tags,
    :external_id, :alias, :stated_status, :forked_from, :forked_seq, :overlay, :parent, :kin
) ON CONFLICT DO NOTHING;

-- name: get_session^
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin,
    s.first_seq, s.origin, s.title, s.metadata, s.tags, s.external_id, s.input_tokens, s.output_tokens,
    s.cache_read_tokens, s.cache_write_tokens, s.cost_picodollars, s.alias, s.forked_from, s.forked_seq, s.overlay
FROM sessions s
WHERE s.org = :org AND s.id = :id;

-- name: get_session_and_facet^
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin,
    s.first_seq, s.origin, s.title, s.metadata, s.tags, s.external_id, s.input_tokens, s.output_tokens,
    s.cache_read_tokens, s.cache_write_tokens, s.cost_picodollars, s.alias, s.forked_from, s.forked_seq, s.overlay,
    (SELECT f.data FROM facets f WHERE f.org = s.org AND f.session = s.id AND f.dialect = :dialect)
FROM sessions s
WHERE s.org = :org AND s.id = :id;

-- name: write_session!
-- The fence in the condition is the guard of every turn: it stands on the row that is locked and written, so a
-- writer whose lease was taken away in the meantime finds no row, whatever it read before.
UPDATE sessions SET
    status = :status, activity = :activity, fence = :fence, next_seq = :next_seq, revision = :revision,
    open_turn = :open_turn, turns = :turns, queued_inputs = :queued_inputs, presences = :presences,
    policy = :policy, opened_at = :opened_at, active_at = :active_at, updated_at = :updated_at,
    ended_at = :ended_at, end_reason = :end_reason, archived_at = :archived_at, stated_status = :stated_status,
    budgets = :budgets, ended_activity = :ended_activity, kin = :kin,
    input_tokens = input_tokens + :input_tokens, output_tokens = output_tokens + :output_tokens,
    cache_read_tokens = cache_read_tokens + :cache_read_tokens,
    cache_write_tokens = cache_write_tokens + :cache_write_tokens,
    cost_picodollars = cost_picodollars + :cost_picodollars
WHERE org = :org AND id = :id AND fence = :guard;

-- name: describe_session!
UPDATE sessions SET title = :title, metadata = :metadata, tags = :tags, overlay = :overlay WHERE org = :org AND id = :id;

-- name: get_overlay^
SELECT overlay FROM sessions WHERE org = :org AND id = :id;

-- name: write_alias!
UPDATE sessions SET alias = :alias WHERE org = :org AND id = :id;

-- name: mark_rewound!
UPDATE sessions SET rewound = TRUE WHERE org = :org AND id = :id;

-- name: find_by_alias^
-- The length is the condition of the index: a longer alias is found by no verb, and the indexes of Postgres hold no
-- text of any length.
SELECT id FROM sessions WHERE org = :org AND alias = :alias AND length(alias) <= 256
ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: head_seq^
SELECT next_seq - 1 FROM sessions WHERE org = :org AND id = :id;

-- name: find_session^
SELECT session FROM refs WHERE org = :org AND kind = :kind AND value = :value;

-- name: insert_ref!
INSERT INTO refs (org, kind, value, session) VALUES (:org, :kind, :value, :session) ON CONFLICT DO NOTHING;

-- name: move_ref!
UPDATE refs SET session = :new WHERE org = :org AND kind = :kind AND value = :value AND session = :old;

-- name: delete_ref!
DELETE FROM refs WHERE org = :org AND kind = :kind AND value = :value;

-- name: insert_tag*!
INSERT INTO tags (org, tag, session) VALUES (:org, :tag, :session) ON CONFLICT DO NOTHING;

-- name: delete_tag*!
DELETE FROM tags WHERE org = :org AND tag = :tag AND session = :session;

-- name: get_facet^
SELECT data FROM facets WHERE org = :org AND session = :session AND dialect = :dialect;

-- name: write_facet!
INSERT INTO facets (org, session, dialect, data) VALUES (:org, :session, :dialect, :data)
ON CONFLICT (org, session, dialect) DO UPDATE SET data = excluded.data;

-- name: delete_session_row!
DELETE FROM sessions WHERE org = :org AND id = :id;

-- name: delete_timers!
DELETE FROM timers WHERE org = :org AND session = :session;

-- name: delete_leases!
DELETE FROM leases WHERE org = :org AND session = :session;

-- name: delete_inputs!
DELETE FROM inputs WHERE org = :org AND session = :session;

-- name: delete_turns!
DELETE FROM turns WHERE org = :org AND session = :session;

-- name: delete_asks!
DELETE FROM asks WHERE org = :org AND session = :session;

-- name: delete_facets!
DELETE FROM facets WHERE org = :org AND session = :session;

-- name: delete_files!
DELETE FROM files WHERE org = :org AND session = :session;

-- name: insert_tombstone!
INSERT INTO tombstones (org, id, last_seq, deleted_at, deleted_by)
VALUES (:org, :id, :last_seq, :deleted_at, :deleted_by)
ON CONFLICT (org, id) DO UPDATE
SET last_seq = excluded.last_seq, deleted_at = excluded.deleted_at, deleted_by = excluded.deleted_by;

-- name: get_tombstone^
SELECT id, last_seq, deleted_at, deleted_by FROM tombstones WHERE org = :org AND id = :id;

-- name: unpurged_tombstones
SELECT org, id FROM tombstones WHERE purged_at IS NULL AND deleted_at <= :now LIMIT :limit;

-- name: remove_tombstone!
DELETE FROM tombstones WHERE org = :org AND id = :id AND purged_at IS NULL AND deleted_at > :now;

-- name: delete_events!
DELETE FROM events WHERE org = :org AND session = :session AND seq IN (
    SELECT e.seq FROM events e WHERE e.org = :org AND e.session = :session ORDER BY e.seq LIMIT :limit
);

-- name: mark_purged!
UPDATE tombstones SET purged_at = :now WHERE org = :org AND id = :id;
