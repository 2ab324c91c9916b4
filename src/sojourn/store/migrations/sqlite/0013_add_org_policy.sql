-- What the agents and sessions of an organisation have where they say nothing else, as JSON.
ALTER TABLE orgs ADD COLUMN policy TEXT;

ALTER TABLE orgs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
