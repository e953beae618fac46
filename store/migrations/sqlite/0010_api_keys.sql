-- Keys of programs; what is stored of one is its hash. And which key did what is audited.
CREATE TABLE api_keys (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL,
    privileges TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER,
    CONSTRAINT api_keys_id_unique PRIMARY KEY (id),
    CONSTRAINT api_keys_hash_unique UNIQUE (hash)
) STRICT;
CREATE INDEX api_keys_newest ON api_keys (tenant, created_at, id);

ALTER TABLE audit ADD COLUMN api_key TEXT;
