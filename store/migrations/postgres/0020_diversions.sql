-- What becomes of calls to an extension that its owner does not take, as JSON. Nobody's row: nothing.
CREATE TABLE user_diversions (
    user_id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    document TEXT NOT NULL,
    CONSTRAINT user_diversions_user_unique PRIMARY KEY (user_id)
);
-- A message is for a service or for one person.
ALTER TABLE voicemails ALTER COLUMN service DROP NOT NULL;
ALTER TABLE voicemails ADD COLUMN owner TEXT COLLATE "C";
CREATE INDEX voicemails_owner ON voicemails (owner, left_at);
