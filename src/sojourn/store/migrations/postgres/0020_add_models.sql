-- Whom an organisation asks, and its own names for models. A provider's key is a reference; secrets hold the values.
CREATE TABLE providers (
    org uuid NOT NULL REFERENCES orgs (id),
    name text COLLATE "C" NOT NULL,
    data text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (org, name)
);

CREATE TABLE models (
    org uuid NOT NULL REFERENCES orgs (id),
    name text COLLATE "C" NOT NULL,
    data text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (org, name)
);
