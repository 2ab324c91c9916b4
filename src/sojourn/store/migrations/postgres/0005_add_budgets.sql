-- What a session may use up. Amounts are decimal numbers as text, which is exact whatever the currency; they are added
-- up by whoever holds the subject's row. A subject other than a session is not made yet.
CREATE TABLE budgets (
    org uuid NOT NULL,
    id uuid NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('session', 'agent', 'key', 'org')),
    subject uuid NOT NULL,
    currency text NOT NULL CHECK (
        currency IN ('tokens', 'credits', 'usd', 'turns', 'tool_calls', 'seconds', 'custom')
    ),
    amount text NOT NULL,
    soft_amount text,
    balance text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'paused', 'exhausted', 'disabled')),
    metadata text,
    entries bigint NOT NULL CHECK (entries >= 0),
    running_since bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (org, id)
);

CREATE INDEX budgets_subject ON budgets (org, subject, id);

CREATE TABLE budget_entries (
    org uuid NOT NULL,
    budget uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    amount text,
    source text NOT NULL CHECK (
        source IN ('model_call', 'usage', 'tool_call', 'turn', 'time', 'charge', 'top_up')
    ),
    session uuid NOT NULL,
    turn uuid,
    call bigint,
    seq bigint,
    description text,
    at bigint NOT NULL,
    PRIMARY KEY (org, budget, number)
);

-- How many budgets of the session are not disabled: none means that no verb looks for one.
ALTER TABLE sessions ADD COLUMN budgets bigint NOT NULL DEFAULT 0 CHECK (budgets >= 0);
