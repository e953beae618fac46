-- Tables that flows look values up in, each replaced as a whole: rows of another content than the table's are on their way in or out.
CREATE TABLE lookup_tables (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    content INTEGER NOT NULL,
    columns TEXT NOT NULL,
    phone_keys INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;

CREATE TABLE lookup_rows (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    content INTEGER NOT NULL,
    key TEXT NOT NULL,
    cells TEXT NOT NULL,
    PRIMARY KEY (tenant, name, content, key)
) STRICT, WITHOUT ROWID;
