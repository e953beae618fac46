-- Keys of programs; what is stored of one is its hash. And which key did what is audited.
CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    privileges TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C",
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    CONSTRAINT api_keys_id_unique PRIMARY KEY (id),
    CONSTRAINT api_keys_hash_unique UNIQUE (hash)
);
CREATE INDEX api_keys_newest ON api_keys (tenant, created_at, id);

ALTER TABLE audit ADD COLUMN api_key TEXT COLLATE "C";
