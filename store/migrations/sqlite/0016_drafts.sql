-- Answers that are being written to emails: kept until they are sent, over sign-out and restart.
CREATE TABLE drafts (
    interaction TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
