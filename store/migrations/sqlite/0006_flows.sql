-- Flows of self-service with their versions, as JSON; and numbers that lead to one before their service answers.
CREATE TABLE flows (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    active INTEGER,
    versions TEXT NOT NULL,
    CONSTRAINT flows_id_unique PRIMARY KEY (id),
    CONSTRAINT flows_name_unique UNIQUE (tenant, name)
) STRICT;

ALTER TABLE numbers ADD COLUMN flow TEXT;
