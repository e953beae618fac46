-- Messages that callers left for a service. What was said is a recording.
CREATE TABLE voicemails (
    recording TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    interaction TEXT NOT NULL,
    service TEXT NOT NULL,
    caller TEXT NOT NULL,
    caller_name TEXT,
    left_at INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    heard_at INTEGER,
    heard_by TEXT
) STRICT;
CREATE INDEX voicemails_left ON voicemails (tenant, left_at, recording);
CREATE INDEX voicemails_service ON voicemails (service, left_at);
