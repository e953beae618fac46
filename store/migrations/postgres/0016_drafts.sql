-- Answers that are being written to emails: kept until they are sent, over sign-out and restart.
CREATE TABLE drafts (
    interaction TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    at BIGINT NOT NULL,
    text TEXT NOT NULL
);
