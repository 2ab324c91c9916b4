-- What the agents and sessions of an organisation have where they say nothing else, as JSON.
ALTER TABLE orgs ADD COLUMN policy text;

ALTER TABLE orgs ADD COLUMN revision bigint NOT NULL DEFAULT 0;
