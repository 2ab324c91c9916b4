-- Who is told when a session has ended, at most one of a type. The secret that signs is among the secrets.
CREATE TABLE webhooks (
    org uuid NOT NULL REFERENCES orgs (id),
    type text NOT NULL,
    url text NOT NULL,
    is_signed bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (org, type)
);
