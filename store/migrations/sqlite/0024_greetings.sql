-- What somebody says to callers who are to leave them a message. `audio`: WAV, 16-bit mono.
CREATE TABLE greetings (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    chosen INTEGER NOT NULL,
    length_ms INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    audio BLOB NOT NULL
) STRICT;
CREATE INDEX greetings_owner ON greetings (tenant, owner, id);
