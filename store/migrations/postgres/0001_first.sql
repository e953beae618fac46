-- Text is compared byte by byte (COLLATE "C"), as SQLite does, so that lists have one order on both engines.
-- Ids are text with their kind in front; times are microseconds since 1970; JSON is text.

CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    CONSTRAINT tenants_id_unique PRIMARY KEY (id),
    CONSTRAINT tenants_name_unique UNIQUE (name)
);

-- Who refers to what inside a tenant: kept by the same transaction that writes the row, read before a deletion.
CREATE TABLE refs (
    from_id TEXT COLLATE "C" NOT NULL,
    to_id TEXT COLLATE "C" NOT NULL,
    from_kind TEXT COLLATE "C" NOT NULL,
    from_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (from_id, to_id)
);
CREATE INDEX refs_to ON refs (to_id);

CREATE TABLE groups (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    rules TEXT COLLATE "C" NOT NULL,
    CONSTRAINT groups_id_unique PRIMARY KEY (id),
    CONSTRAINT groups_name_unique UNIQUE (tenant, name)
);

CREATE TABLE skills (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    CONSTRAINT skills_id_unique PRIMARY KEY (id),
    CONSTRAINT skills_name_unique UNIQUE (tenant, name)
);

CREATE TABLE reasons (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    icon TEXT COLLATE "C" NOT NULL,
    CONSTRAINT reasons_id_unique PRIMARY KEY (id),
    CONSTRAINT reasons_name_unique UNIQUE (tenant, name)
);

CREATE TABLE services (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    requirement TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    disposition_mandatory BOOLEAN NOT NULL,
    record BOOLEAN NOT NULL,
    is_open BOOLEAN NOT NULL,
    CONSTRAINT services_id_unique PRIMARY KEY (id),
    CONSTRAINT services_name_unique UNIQUE (tenant, name)
);

CREATE TABLE dispositions (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    service TEXT COLLATE "C" NOT NULL REFERENCES services (id),
    name TEXT COLLATE "C" NOT NULL,
    success BOOLEAN NOT NULL,
    closing BOOLEAN NOT NULL,
    CONSTRAINT dispositions_id_unique PRIMARY KEY (id),
    CONSTRAINT dispositions_name_unique UNIQUE (service, name)
);

CREATE TABLE numbers (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    digits TEXT COLLATE "C" NOT NULL,
    service TEXT COLLATE "C" NOT NULL REFERENCES services (id),
    CONSTRAINT numbers_id_unique PRIMARY KEY (id),
    CONSTRAINT numbers_digits_unique UNIQUE (digits)
);

CREATE TABLE trunks (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    addresses TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C",
    target TEXT COLLATE "C",
    calls_max BIGINT NOT NULL,
    srtp TEXT COLLATE "C" NOT NULL,
    CONSTRAINT trunks_id_unique PRIMARY KEY (id),
    CONSTRAINT trunks_name_unique UNIQUE (name)
);

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    extension TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" REFERENCES groups (id),
    skills TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    CONSTRAINT users_id_unique PRIMARY KEY (id),
    CONSTRAINT users_login_unique UNIQUE (tenant, login),
    CONSTRAINT users_email_unique UNIQUE (tenant, email),
    CONSTRAINT users_extension_unique UNIQUE (tenant, extension)
);

CREATE TABLE credentials (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL
);

-- HA1 of RFC 7616 only; the password itself is stored nowhere.
CREATE TABLE phone_secrets (
    owner TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    realm TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    ha1_md5 TEXT COLLATE "C" NOT NULL,
    ha1_sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT phone_secrets_username_unique UNIQUE (realm, username)
);

CREATE TABLE trunk_secrets (
    owner TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
    realm TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    ha1_md5 TEXT COLLATE "C" NOT NULL,
    ha1_sha256 TEXT COLLATE "C" NOT NULL,
    CONSTRAINT trunk_secrets_username_unique UNIQUE (realm, username)
);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL,
    token_hash TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    csrf TEXT COLLATE "C" NOT NULL,
    CONSTRAINT sessions_id_unique PRIMARY KEY (id),
    CONSTRAINT sessions_token_hash_unique UNIQUE (token_hash)
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- No foreign keys: what was done stays known when its actor is gone.
CREATE TABLE audit (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C",
    address TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_newest ON audit (tenant, at, id);
CREATE INDEX audit_target ON audit (tenant, target, at, id);

-- What lists filter by stands in columns, numbers in lower case; the record itself is the document.
CREATE TABLE service_records (
    interaction TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    direction TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    contact TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C",
    service TEXT COLLATE "C",
    disposition TEXT COLLATE "C",
    arrived_at BIGINT NOT NULL,
    status TEXT COLLATE "C",
    unfinished BOOLEAN NOT NULL,
    document TEXT COLLATE "C" NOT NULL
);
CREATE INDEX service_records_newest ON service_records (tenant, arrived_at, interaction);
CREATE INDEX service_records_agent ON service_records (agent, arrived_at) WHERE agent IS NOT NULL;
CREATE INDEX service_records_service ON service_records (service, arrived_at) WHERE service IS NOT NULL;
CREATE INDEX service_records_disposition ON service_records (disposition) WHERE disposition IS NOT NULL;
CREATE INDEX service_records_unfinished ON service_records (tenant, arrived_at) WHERE unfinished;

CREATE TABLE recordings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    files TEXT COLLATE "C" NOT NULL,
    length_ms BIGINT NOT NULL,
    complete BOOLEAN NOT NULL,
    peaks BYTEA,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX recordings_interaction ON recordings (interaction);
CREATE INDEX recordings_unfinished ON recordings (created_at) WHERE state IN ('capturing', 'finishing');

CREATE TABLE idempotency_keys (
    tenant TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    status BIGINT,
    body BYTEA,
    PRIMARY KEY (tenant, idempotency_key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- The last place of each tenant's journal, and which writer may go on from there.
CREATE TABLE journal_heads (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

CREATE TABLE journal (
    tenant TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, seq)
);
