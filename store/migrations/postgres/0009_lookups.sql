-- Tables that flows look values up in, each replaced as a whole: rows of another content than the table's are on their way in or out.
CREATE TABLE lookup_tables (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    content BIGINT NOT NULL,
    columns TEXT COLLATE "C" NOT NULL,
    phone_keys BOOLEAN NOT NULL,
    row_count BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE lookup_rows (
    tenant TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    content BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    cells TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, name, content, key)
);
