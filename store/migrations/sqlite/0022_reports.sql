-- What agents reported as not working, with a part of their page's log.
CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    interaction TEXT,
    fault TEXT NOT NULL,
    remark TEXT NOT NULL,
    log TEXT NOT NULL,
    log_size INTEGER NOT NULL,
    done_by TEXT,
    done_at INTEGER
) STRICT;
CREATE INDEX reports_made ON reports (tenant, at, id);
CREATE INDEX reports_agent ON reports (agent, at);
