-- What the floor decided by, at each change: the journal names the generation, so that the past can be explained and decided again.
CREATE TABLE generations (
    tenant TEXT NOT NULL,
    generation BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (tenant, generation)
);
