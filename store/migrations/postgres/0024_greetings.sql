-- What somebody says to callers who are to leave them a message. `audio`: WAV, 16-bit mono.
CREATE TABLE greetings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    owner TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    chosen BOOLEAN NOT NULL,
    length_ms BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    audio BYTEA NOT NULL
);
CREATE INDEX greetings_owner ON greetings (tenant, owner, id);
