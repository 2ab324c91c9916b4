-- Sessions of one tree use a budget of seconds up at the same time: up to when its time is charged stands with the turn.
ALTER TABLE turns ADD COLUMN metered_at INTEGER;

UPDATE turns SET metered_at = (
    SELECT max(b.running_since) FROM budgets b WHERE b.org = turns.org AND b.subject = turns.session
) WHERE status IN ('starting', 'running', 'waiting') AND parked = 0;

-- From when on the budget counts.
UPDATE budgets SET running_since = created_at WHERE currency = 'seconds' AND status <> 'disabled';
