-- Logs whose beginning is gone, and what is still to be removed of them: everything before the seq `upto`.
CREATE TABLE trims (
    org uuid NOT NULL,
    session uuid NOT NULL,
    upto bigint NOT NULL,
    PRIMARY KEY (org, session)
);
