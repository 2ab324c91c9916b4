-- The order of the queue, which may be another than that of receipt.
ALTER TABLE inputs ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;

UPDATE inputs SET rank = position;

DROP INDEX inputs_queue;

CREATE INDEX inputs_queue ON inputs (org, session, priority, rank) WHERE status = 'queued';
