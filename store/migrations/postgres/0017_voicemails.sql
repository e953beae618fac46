-- Messages that callers left for a service. What was said is a recording.
CREATE TABLE voicemails (
    recording TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    interaction TEXT COLLATE "C" NOT NULL,
    service TEXT COLLATE "C" NOT NULL,
    caller TEXT NOT NULL,
    caller_name TEXT,
    left_at BIGINT NOT NULL,
    dropped BOOLEAN NOT NULL,
    heard_at BIGINT,
    heard_by TEXT COLLATE "C"
);
CREATE INDEX voicemails_left ON voicemails (tenant, left_at, recording);
CREATE INDEX voicemails_service ON voicemails (service, left_at);
