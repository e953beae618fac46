-- Flows of self-service with their versions, as JSON; and numbers that lead to one before their service answers.
CREATE TABLE flows (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    active BIGINT,
    versions TEXT COLLATE "C" NOT NULL,
    CONSTRAINT flows_id_unique PRIMARY KEY (id),
    CONSTRAINT flows_name_unique UNIQUE (tenant, name)
);

ALTER TABLE numbers ADD COLUMN flow TEXT COLLATE "C";
