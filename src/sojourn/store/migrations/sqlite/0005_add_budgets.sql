-- What a session may use up. Amounts are decimal numbers as text, which is exact whatever the currency; they are added
-- up by whoever holds the subject's row. A subject other than a session is not made yet.
CREATE TABLE budgets (
    org BLOB NOT NULL,
    id BLOB NOT NULL,
    subject_kind TEXT NOT NULL CHECK (
        subject_kind = 'session' OR subject_kind = 'agent' OR subject_kind = 'key' OR subject_kind = 'org'
    ),
    subject BLOB NOT NULL,
    currency TEXT NOT NULL CHECK (
        currency = 'tokens' OR currency = 'credits' OR currency = 'usd' OR currency = 'turns'
        OR currency = 'tool_calls' OR currency = 'seconds' OR currency = 'custom'
    ),
    amount TEXT NOT NULL,
    soft_amount TEXT,
    balance TEXT NOT NULL,
    status TEXT NOT NULL CHECK (
        status = 'active' OR status = 'paused' OR status = 'exhausted' OR status = 'disabled'
    ),
    metadata TEXT,
    entries INTEGER NOT NULL CHECK (entries >= 0),
    running_since INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;

CREATE INDEX budgets_subject ON budgets (org, subject, id);

CREATE TABLE budget_entries (
    org BLOB NOT NULL,
    budget BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    amount TEXT,
    source TEXT NOT NULL CHECK (
        source = 'model_call' OR source = 'usage' OR source = 'tool_call' OR source = 'turn' OR source = 'time'
        OR source = 'charge' OR source = 'top_up'
    ),
    session BLOB NOT NULL,
    turn BLOB,
    call INTEGER,
    seq INTEGER,
    description TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (org, budget, number)
) WITHOUT ROWID;

-- How many budgets of the session are not disabled: none means that no verb looks for one.
ALTER TABLE sessions ADD COLUMN budgets INTEGER NOT NULL DEFAULT 0 CHECK (budgets >= 0);
