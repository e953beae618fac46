-- The block list: callers who are refused, by their number or by how it begins.
CREATE TABLE blocks (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    number TEXT NOT NULL,
    prefix INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_by TEXT,
    since INTEGER NOT NULL,
    until INTEGER,
    CONSTRAINT blocks_id_unique PRIMARY KEY (id),
    CONSTRAINT blocks_number_unique UNIQUE (tenant, number)
) STRICT;
