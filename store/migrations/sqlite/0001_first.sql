-- Ids are text with their kind in front; times are microseconds since 1970; JSON is text.

CREATE TABLE tenants (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT tenants_id_unique PRIMARY KEY (id),
    CONSTRAINT tenants_name_unique UNIQUE (name)
) STRICT;

-- Who refers to what inside a tenant: kept by the same transaction that writes the row, read before a deletion.
CREATE TABLE refs (
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL,
    from_kind TEXT NOT NULL,
    from_name TEXT NOT NULL,
    PRIMARY KEY (from_id, to_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refs_to ON refs (to_id);

CREATE TABLE groups (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    rules TEXT NOT NULL,
    CONSTRAINT groups_id_unique PRIMARY KEY (id),
    CONSTRAINT groups_name_unique UNIQUE (tenant, name)
) STRICT;

CREATE TABLE skills (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT skills_id_unique PRIMARY KEY (id),
    CONSTRAINT skills_name_unique UNIQUE (tenant, name)
) STRICT;

CREATE TABLE reasons (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    icon TEXT NOT NULL,
    CONSTRAINT reasons_id_unique PRIMARY KEY (id),
    CONSTRAINT reasons_name_unique UNIQUE (tenant, name)
) STRICT;

CREATE TABLE services (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    requirement TEXT NOT NULL,
    queue TEXT NOT NULL,
    disposition_mandatory INTEGER NOT NULL,
    record INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    CONSTRAINT services_id_unique PRIMARY KEY (id),
    CONSTRAINT services_name_unique UNIQUE (tenant, name)
) STRICT;

CREATE TABLE dispositions (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    service TEXT NOT NULL REFERENCES services (id),
    name TEXT NOT NULL,
    success INTEGER NOT NULL,
    closing INTEGER NOT NULL,
    CONSTRAINT dispositions_id_unique PRIMARY KEY (id),
    CONSTRAINT dispositions_name_unique UNIQUE (service, name)
) STRICT;

CREATE TABLE numbers (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    digits TEXT NOT NULL,
    service TEXT NOT NULL REFERENCES services (id),
    CONSTRAINT numbers_id_unique PRIMARY KEY (id),
    CONSTRAINT numbers_digits_unique UNIQUE (digits)
) STRICT;

CREATE TABLE trunks (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    addresses TEXT NOT NULL,
    username TEXT,
    target TEXT,
    calls_max INTEGER NOT NULL,
    srtp TEXT NOT NULL,
    CONSTRAINT trunks_id_unique PRIMARY KEY (id),
    CONSTRAINT trunks_name_unique UNIQUE (name)
) STRICT;

CREATE TABLE users (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    version INTEGER NOT NULL,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    extension TEXT,
    role TEXT NOT NULL,
    group_id TEXT REFERENCES groups (id),
    skills TEXT NOT NULL,
    phone TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    CONSTRAINT users_id_unique PRIMARY KEY (id),
    CONSTRAINT users_login_unique UNIQUE (tenant, login),
    CONSTRAINT users_email_unique UNIQUE (tenant, email),
    CONSTRAINT users_extension_unique UNIQUE (tenant, extension)
) STRICT;

CREATE TABLE credentials (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- HA1 of RFC 7616 only; the password itself is stored nowhere.
CREATE TABLE phone_secrets (
    owner TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    realm TEXT NOT NULL,
    username TEXT NOT NULL,
    ha1_md5 TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    CONSTRAINT phone_secrets_username_unique UNIQUE (realm, username)
) STRICT;

CREATE TABLE trunk_secrets (
    owner TEXT NOT NULL PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
    realm TEXT NOT NULL,
    username TEXT NOT NULL,
    ha1_md5 TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    CONSTRAINT trunk_secrets_username_unique UNIQUE (realm, username)
) STRICT;

CREATE TABLE sessions (
    id TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    csrf TEXT NOT NULL,
    CONSTRAINT sessions_id_unique PRIMARY KEY (id),
    CONSTRAINT sessions_token_hash_unique UNIQUE (token_hash)
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- No foreign keys: what was done stays known when its actor is gone.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    address TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_newest ON audit (tenant, at, id);
CREATE INDEX audit_target ON audit (tenant, target, at, id);

-- What lists filter by stands in columns, numbers in lower case; the record itself is the document.
CREATE TABLE service_records (
    interaction TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,
    direction TEXT NOT NULL,
    caller TEXT NOT NULL,
    contact TEXT NOT NULL,
    agent TEXT,
    service TEXT,
    disposition TEXT,
    arrived_at INTEGER NOT NULL,
    status TEXT,
    unfinished INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX service_records_newest ON service_records (tenant, arrived_at, interaction);
CREATE INDEX service_records_agent ON service_records (agent, arrived_at) WHERE agent IS NOT NULL;
CREATE INDEX service_records_service ON service_records (service, arrived_at) WHERE service IS NOT NULL;
CREATE INDEX service_records_disposition ON service_records (disposition) WHERE disposition IS NOT NULL;
CREATE INDEX service_records_unfinished ON service_records (tenant, arrived_at) WHERE unfinished;

CREATE TABLE recordings (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    interaction TEXT NOT NULL,
    state TEXT NOT NULL,
    files TEXT NOT NULL,
    length_ms INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    peaks BLOB,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX recordings_interaction ON recordings (interaction);
CREATE INDEX recordings_unfinished ON recordings (created_at) WHERE state IN ('capturing', 'finishing');

CREATE TABLE idempotency_keys (
    tenant TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER,
    body BLOB,
    PRIMARY KEY (tenant, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- The last place of each tenant's journal, and which writer may go on from there.
CREATE TABLE journal_heads (
    tenant TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    tenant TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;
