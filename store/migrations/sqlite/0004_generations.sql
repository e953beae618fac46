-- What the floor decided by, at each change: the journal names the generation, so that the past can be explained and decided again.
CREATE TABLE generations (
    tenant TEXT NOT NULL,
    generation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (tenant, generation)
) STRICT, WITHOUT ROWID;
