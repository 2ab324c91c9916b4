-- Instants are microseconds since the Unix epoch, ids the 16 bytes of a UUID, structured values JSON text.
-- Every table leads with org, so that it can be distributed by it.
-- Allowed values are chains of OR: SQLite checks an IN list of three or more at several times the cost
-- (docs/adr/0008-savepoints-and-checks.md).

CREATE TABLE orgs (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE keys (
    org BLOB NOT NULL REFERENCES orgs (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role = 'admin' OR role = 'member' OR role = 'worker'),
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE TABLE secrets (
    org BLOB NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, name)
) WITHOUT ROWID;

CREATE TABLE agents (
    org BLOB NOT NULL REFERENCES orgs (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
) WITHOUT ROWID;

CREATE TABLE agent_versions (
    org BLOB NOT NULL,
    agent BLOB NOT NULL,
    version INTEGER NOT NULL,
    spec TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, agent, version),
    FOREIGN KEY (org, agent) REFERENCES agents (org, id)
) WITHOUT ROWID;

CREATE TABLE sessions (
    org BLOB NOT NULL,
    id BLOB NOT NULL,
    agent BLOB NOT NULL,
    agent_version INTEGER NOT NULL,
    runner TEXT NOT NULL CHECK (runner = 'model' OR runner = 'acp' OR runner = 'http' OR runner = 'external'),
    status TEXT NOT NULL CHECK (
        status = 'open' OR status = 'completed' OR status = 'failed' OR status = 'cancelled'
        OR status = 'expired'
    ),
    activity TEXT NOT NULL CHECK (
        activity = 'idle' OR activity = 'queued' OR activity = 'starting' OR activity = 'busy'
        OR activity = 'waiting' OR activity = 'retrying'
    ),
    fence INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    open_turn BLOB,
    turns INTEGER NOT NULL,
    queued_inputs INTEGER NOT NULL CHECK (queued_inputs >= 0),
    presences INTEGER NOT NULL CHECK (presences >= 0),
    policy TEXT,
    created_at INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT,
    archived_at INTEGER,
    origin TEXT NOT NULL,
    title TEXT,
    metadata TEXT,
    tags TEXT,
    external_id TEXT,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    cost_picodollars INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, id),
    -- An ended session does nothing and has no open turn.
    CHECK (status = 'open' OR (activity = 'idle' AND open_turn IS NULL)),
    -- An open turn is never idle; without one, work is at most queued or done by somebody outside.
    CHECK (
        CASE WHEN open_turn IS NULL THEN activity = 'idle' OR activity = 'queued' OR activity = 'busy'
        ELSE activity <> 'idle' END
    ),
    CHECK ((status = 'open') = (ended_at IS NULL))
) WITHOUT ROWID;

CREATE INDEX sessions_created ON sessions (org, created_at, id);
CREATE INDEX sessions_status ON sessions (org, status, created_at, id);
CREATE INDEX sessions_activity ON sessions (org, activity, created_at, id);
CREATE INDEX sessions_agent ON sessions (org, agent, created_at, id);

CREATE TABLE tombstones (
    org BLOB NOT NULL,
    id BLOB NOT NULL,
    last_seq INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    deleted_by BLOB,
    purged_at INTEGER,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE TABLE facets (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    dialect TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (org, session, dialect)
) WITHOUT ROWID;

-- Unique outside names of sessions (external_id and the like).
CREATE TABLE refs (
    org BLOB NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    session BLOB NOT NULL,
    PRIMARY KEY (org, kind, value)
) WITHOUT ROWID;

-- Tags are names that many sessions share.
CREATE TABLE tags (
    org BLOB NOT NULL,
    tag TEXT NOT NULL,
    session BLOB NOT NULL,
    PRIMARY KEY (org, tag, session)
) WITHOUT ROWID;

CREATE TABLE events (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    v INTEGER NOT NULL,
    at INTEGER NOT NULL,
    turn BLOB,
    tx INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (org, session, seq)
) WITHOUT ROWID;

CREATE TABLE inputs (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    id BLOB NOT NULL,
    turn BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'message' OR kind = 'tool_result' OR kind = 'decision' OR kind = 'interrupt'),
    delivery TEXT NOT NULL CHECK (delivery = 'steer' OR delivery = 'queue' OR delivery = 'interrupt'),
    content TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'queued' OR status = 'delivered' OR status = 'withdrawn'),
    priority INTEGER NOT NULL,
    position INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, id)
) WITHOUT ROWID;

CREATE INDEX inputs_queue ON inputs (org, session, priority, position) WHERE status = 'queued';

CREATE TABLE turns (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    id BLOB NOT NULL,
    input BLOB NOT NULL,
    runner TEXT NOT NULL CHECK (runner = 'model' OR runner = 'acp' OR runner = 'http' OR runner = 'external'),
    status TEXT NOT NULL CHECK (
        status = 'queued' OR status = 'starting' OR status = 'running' OR status = 'waiting'
        OR status = 'retrying' OR status = 'completed' OR status = 'failed' OR status = 'cancelled'
    ),
    first_seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stalled INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    open_asks INTEGER NOT NULL,
    ready_at INTEGER NOT NULL,
    worker TEXT,
    agent_version INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    reason TEXT CHECK (
        reason = 'end_turn' OR reason = 'interrupted' OR reason = 'expired' OR reason = 'budget'
        OR reason = 'refused' OR reason = 'no_progress' OR reason = 'error' OR reason = 'superseded'
    ),
    error TEXT,
    PRIMARY KEY (org, session, id),
    CHECK ((status = 'completed' OR status = 'failed' OR status = 'cancelled') = (reason IS NOT NULL))
) WITHOUT ROWID;

CREATE UNIQUE INDEX turns_open ON turns (org, session) WHERE status NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX turns_ready ON turns (org, runner, ready_at, session) WHERE status IN ('queued', 'retrying');

CREATE TABLE asks (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    id BLOB NOT NULL,
    turn BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'approval' OR kind = 'client_tool' OR kind = 'question'),
    prompt TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'open' OR status = 'decided' OR status = 'void'),
    on_expire TEXT NOT NULL CHECK (on_expire = 'allow' OR on_expire = 'deny' OR on_expire = 'answer'),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, id)
) WITHOUT ROWID;

CREATE INDEX asks_due ON asks (org, expires_at) WHERE status = 'open' AND expires_at IS NOT NULL;

CREATE TABLE leases (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'turn' OR kind = 'work' OR kind = 'presence'),
    holder TEXT NOT NULL,
    ttl_seconds REAL,
    last_seen_at INTEGER NOT NULL,
    boot TEXT,
    token TEXT,
    PRIMARY KEY (org, session, kind, holder)
) WITHOUT ROWID;

-- The fence is what protects a turn; this only says that two holders are a bug.
CREATE UNIQUE INDEX leases_turn ON leases (org, session) WHERE kind = 'turn';

CREATE TABLE timers (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'idle' OR kind = 'lifetime' OR kind = 'turn'),
    due_at INTEGER NOT NULL,
    PRIMARY KEY (org, session, kind)
) WITHOUT ROWID;

CREATE INDEX timers_due ON timers (org, due_at);

CREATE TABLE blobs (
    org BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (org, sha256)
) WITHOUT ROWID;

CREATE TABLE files (
    org BLOB NOT NULL,
    session BLOB NOT NULL,
    path TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (org, session, path)
) WITHOUT ROWID;

CREATE TABLE idempotency (
    org BLOB NOT NULL,
    key BLOB NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BLOB,
    status INTEGER,
    ids TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, key, operation, idempotency_key)
) WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (org, created_at);

-- What concerns a second session or the outside, carried out after the commit that asked for it, idempotently.
CREATE TABLE outbox (
    org BLOB NOT NULL,
    id BLOB NOT NULL,
    session BLOB NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (org, due_at);

-- Transaction numbers are handed out from blocks: `next` is the first number that no start has reserved.
CREATE TABLE tx_counter (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    next INTEGER NOT NULL
);

INSERT INTO tx_counter (one, next) VALUES (1, 1);
