-- name: write_budget!
INSERT INTO budgets (
    org, id, subject_kind, subject, currency, amount, soft_amount, balance, status, metadata, entries, running_since,
    created_at, updated_at
) VALUES (
    :org, :id, 'session', :subject, :currency, :amount, :soft_amount, :balance, :status, :metadata, :entries,
    :running_since, :created_at, :updated_at
) ON CONFLICT (org, id) DO UPDATE SET
    amount = excluded.amount, soft_amount = excluded.soft_amount, balance = excluded.balance,
    status = excluded.status, metadata = excluded.metadata, entries = excluded.entries,
    running_since = excluded.running_since, updated_at = excluded.updated_at;

-- name: get_budget^
SELECT
    id, subject, currency, amount, soft_amount, balance, status, metadata, entries, running_since, created_at, updated_at
FROM budgets WHERE org = :org AND id = :id;

-- name: list_budgets
SELECT
    id, subject, currency, amount, soft_amount, balance, status, metadata, entries, running_since, created_at, updated_at
FROM budgets WHERE org = :org AND subject = :subject AND id > :after ORDER BY id LIMIT :limit;

-- name: list_org_budgets
-- The budgets of a deleted session outlive it until they are purged.
SELECT
    b.id, b.subject, b.currency, b.amount, b.soft_amount, b.balance, b.status, b.metadata, b.entries, b.running_since,
    b.created_at, b.updated_at
FROM budgets b JOIN sessions s ON s.org = b.org AND s.id = b.subject
WHERE b.org = :org AND b.id > :after ORDER BY b.id LIMIT :limit;

-- name: insert_budget_entry*!
INSERT INTO budget_entries (
    org, budget, number, amount, source, session, turn, call, seq, description, at
) VALUES (
    :org, :budget, :number, :amount, :source, :session, :turn, :call, :seq, :description, :at
);

-- name: list_budget_entries
SELECT budget, number, amount, source, session, turn, call, seq, description, at
FROM budget_entries WHERE org = :org AND budget = :budget AND number > :after
ORDER BY number LIMIT :limit;

-- name: delete_budget_entries!
DELETE FROM budget_entries WHERE org = :org AND budget IN (
    SELECT id FROM budgets WHERE org = :org AND subject = :session
);

-- name: delete_budgets!
DELETE FROM budgets WHERE org = :org AND subject = :session;
