-- What went over the wire for calls, packed; kept for days.
CREATE TABLE traces (
    interaction TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    ended_at INTEGER NOT NULL,
    packed BLOB NOT NULL
) STRICT;
CREATE INDEX traces_ended ON traces (ended_at);
