-- What becomes of calls to an extension that its owner does not take, as JSON. Nobody's row: nothing.
CREATE TABLE user_diversions (
    user_id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    document TEXT NOT NULL,
    CONSTRAINT user_diversions_user_unique PRIMARY KEY (user_id)
) STRICT;
-- A message is for a service or for one person. SQLite changes a column by copying the table.
CREATE TABLE voicemails_for_both (
    recording TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    interaction TEXT NOT NULL,
    service TEXT,
    owner TEXT,
    caller TEXT NOT NULL,
    caller_name TEXT,
    left_at INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    heard_at INTEGER,
    heard_by TEXT
) STRICT;
INSERT INTO voicemails_for_both
    SELECT recording, tenant, interaction, service, NULL, caller, caller_name, left_at, dropped, heard_at, heard_by FROM voicemails;
DROP TABLE voicemails;
ALTER TABLE voicemails_for_both RENAME TO voicemails;
CREATE INDEX voicemails_left ON voicemails (tenant, left_at, recording);
CREATE INDEX voicemails_service ON voicemails (service, left_at);
CREATE INDEX voicemails_owner ON voicemails (owner, left_at);
