-- What went over the wire for calls, packed; kept for days.
CREATE TABLE traces (
    interaction TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    ended_at BIGINT NOT NULL,
    packed BYTEA NOT NULL
);
CREATE INDEX traces_ended ON traces (ended_at);
