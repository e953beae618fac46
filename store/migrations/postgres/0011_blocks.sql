-- The block list: callers who are refused, by their number or by how it begins.
CREATE TABLE blocks (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    prefix BOOLEAN NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    made_by TEXT COLLATE "C",
    since BIGINT NOT NULL,
    until BIGINT,
    CONSTRAINT blocks_id_unique PRIMARY KEY (id),
    CONSTRAINT blocks_number_unique UNIQUE (tenant, number)
);
