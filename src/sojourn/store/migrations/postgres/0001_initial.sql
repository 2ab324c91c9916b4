-- Instants are microseconds since the Unix epoch, ids UUIDs, structured values JSON text. What clients gave comes back as
-- it came, which jsonb would not do: it sorts keys and turns 1e22 into an integer.
-- Every table leads with org, so that it can be distributed by it.

CREATE TABLE orgs (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE keys (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'member', 'worker')),
    token_hash bytea NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (org, id)
);

CREATE TABLE secrets (
    org uuid NOT NULL REFERENCES orgs (id),
    name text NOT NULL,
    sealed bytea NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (org, name)
);

CREATE TABLE agents (
    org uuid NOT NULL REFERENCES orgs (id),
    id uuid NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
);

CREATE TABLE agent_versions (
    org uuid NOT NULL,
    agent uuid NOT NULL,
    version bigint NOT NULL,
    spec text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, agent, version),
    FOREIGN KEY (org, agent) REFERENCES agents (org, id)
);

CREATE TABLE sessions (
    org uuid NOT NULL,
    id uuid NOT NULL,
    agent uuid NOT NULL,
    agent_version bigint NOT NULL,
    runner text NOT NULL CHECK (runner IN ('model', 'acp', 'http', 'external')),
    status text NOT NULL CHECK (status IN ('open', 'completed', 'failed', 'cancelled', 'expired')),
    activity text NOT NULL CHECK (activity IN ('idle', 'queued', 'starting', 'busy', 'waiting', 'retrying')),
    fence bigint NOT NULL,
    next_seq bigint NOT NULL,
    first_seq bigint NOT NULL,
    revision bigint NOT NULL,
    open_turn uuid,
    turns bigint NOT NULL,
    queued_inputs bigint NOT NULL CHECK (queued_inputs >= 0),
    presences bigint NOT NULL CHECK (presences >= 0),
    policy json,
    created_at bigint NOT NULL,
    opened_at bigint NOT NULL,
    active_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ended_at bigint,
    end_reason text,
    archived_at bigint,
    origin text NOT NULL,
    title text,
    metadata json,
    tags json,
    external_id text,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cache_read_tokens bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    cost_picodollars bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org, id),
    -- An ended session does nothing and has no open turn.
    CHECK (status = 'open' OR (activity = 'idle' AND open_turn IS NULL)),
    -- An open turn is never idle; without one, work is at most queued or done by somebody outside.
    CHECK (CASE WHEN open_turn IS NULL THEN activity IN ('idle', 'queued', 'busy') ELSE activity <> 'idle' END),
    CHECK ((status = 'open') = (ended_at IS NULL))
);

CREATE INDEX sessions_created ON sessions (org, created_at, id);
CREATE INDEX sessions_status ON sessions (org, status, created_at, id);
CREATE INDEX sessions_activity ON sessions (org, activity, created_at, id);
CREATE INDEX sessions_agent ON sessions (org, agent, created_at, id);

CREATE TABLE tombstones (
    org uuid NOT NULL,
    id uuid NOT NULL,
    last_seq bigint NOT NULL,
    deleted_at bigint NOT NULL,
    deleted_by uuid,
    purged_at bigint,
    PRIMARY KEY (org, id)
);

CREATE TABLE facets (
    org uuid NOT NULL,
    session uuid NOT NULL,
    dialect text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (org, session, dialect)
);

-- Unique outside names of sessions (external_id and the like).
CREATE TABLE refs (
    org uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    session uuid NOT NULL,
    PRIMARY KEY (org, kind, value)
);

-- Tags are names that many sessions share.
CREATE TABLE tags (
    org uuid NOT NULL,
    tag text NOT NULL,
    session uuid NOT NULL,
    PRIMARY KEY (org, tag, session)
);

CREATE TABLE events (
    org uuid NOT NULL,
    session uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    id uuid NOT NULL,
    type text NOT NULL,
    v bigint NOT NULL,
    at bigint NOT NULL,
    turn uuid,
    tx bigint NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (org, session, seq)
);

CREATE TABLE inputs (
    org uuid NOT NULL,
    session uuid NOT NULL,
    id uuid NOT NULL,
    turn uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('message', 'tool_result', 'decision', 'interrupt')),
    delivery text NOT NULL CHECK (delivery IN ('steer', 'queue', 'interrupt')),
    content text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'delivered', 'withdrawn')),
    priority bigint NOT NULL,
    position bigint NOT NULL,
    revision bigint NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (org, session, id)
);

CREATE INDEX inputs_queue ON inputs (org, session, priority, position) WHERE status = 'queued';

CREATE TABLE turns (
    org uuid NOT NULL,
    session uuid NOT NULL,
    id uuid NOT NULL,
    input uuid NOT NULL,
    runner text NOT NULL CHECK (runner IN ('model', 'acp', 'http', 'external')),
    status text NOT NULL CHECK (
        status IN ('queued', 'starting', 'running', 'waiting', 'retrying', 'completed', 'failed', 'cancelled')
    ),
    first_seq bigint NOT NULL,
    attempt bigint NOT NULL,
    stalled bigint NOT NULL,
    faults bigint NOT NULL,
    parked boolean NOT NULL,
    open_asks bigint NOT NULL,
    ready_at bigint NOT NULL,
    worker text,
    agent_version bigint,
    created_at bigint NOT NULL,
    started_at bigint,
    ended_at bigint,
    reason text CHECK (
        reason IN ('end_turn', 'interrupted', 'expired', 'budget', 'refused', 'no_progress', 'error', 'superseded')
    ),
    error text,
    PRIMARY KEY (org, session, id),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (reason IS NOT NULL))
);

CREATE UNIQUE INDEX turns_open ON turns (org, session) WHERE status NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX turns_ready ON turns (org, runner, ready_at, session) WHERE status IN ('queued', 'retrying');

CREATE TABLE asks (
    org uuid NOT NULL,
    session uuid NOT NULL,
    id uuid NOT NULL,
    turn uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('approval', 'client_tool', 'question')),
    prompt text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'decided', 'void')),
    on_expire text NOT NULL CHECK (on_expire IN ('allow', 'deny', 'answer')),
    expires_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, session, id)
);

CREATE INDEX asks_due ON asks (org, expires_at) WHERE status = 'open' AND expires_at IS NOT NULL;

CREATE TABLE leases (
    org uuid NOT NULL,
    session uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('turn', 'work', 'presence')),
    holder text NOT NULL,
    ttl_seconds double precision,
    last_seen_at bigint NOT NULL,
    boot text,
    token text,
    PRIMARY KEY (org, session, kind, holder)
);

-- The fence is what protects a turn; this only says that two holders are a bug.
CREATE UNIQUE INDEX leases_turn ON leases (org, session) WHERE kind = 'turn';

CREATE TABLE timers (
    org uuid NOT NULL,
    session uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('idle', 'lifetime', 'turn')),
    due_at bigint NOT NULL,
    PRIMARY KEY (org, session, kind)
);

CREATE INDEX timers_due ON timers (org, due_at);

CREATE TABLE blobs (
    org uuid NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (org, sha256)
);

CREATE TABLE files (
    org uuid NOT NULL,
    session uuid NOT NULL,
    path text NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (org, session, path)
);

CREATE TABLE idempotency (
    org uuid NOT NULL,
    key uuid NOT NULL,
    operation text NOT NULL,
    idempotency_key text NOT NULL,
    request_hash bytea,
    status bigint,
    ids text,
    created_at bigint NOT NULL,
    PRIMARY KEY (org, key, operation, idempotency_key)
);

CREATE INDEX idempotency_age ON idempotency (org, created_at);

-- What concerns a second session or the outside, carried out after the commit that asked for it, idempotently.
CREATE TABLE outbox (
    org uuid NOT NULL,
    id uuid NOT NULL,
    session uuid NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    due_at bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org, id)
);

CREATE INDEX outbox_due ON outbox (org, due_at);
