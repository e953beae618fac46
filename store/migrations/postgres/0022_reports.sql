-- What agents reported as not working, with a part of their page's log.
CREATE TABLE reports (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    at BIGINT NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C",
    fault TEXT COLLATE "C" NOT NULL,
    remark TEXT NOT NULL,
    log TEXT NOT NULL,
    log_size BIGINT NOT NULL,
    done_by TEXT COLLATE "C",
    done_at BIGINT
);
CREATE INDEX reports_made ON reports (tenant, at, id);
CREATE INDEX reports_agent ON reports (agent, at);
