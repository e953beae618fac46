-- What each user wants to see or not, as JSON. Nobody's row: the usual.
CREATE TABLE user_preferences (
    user_id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    document TEXT COLLATE "C" NOT NULL,
    CONSTRAINT user_preferences_user_unique PRIMARY KEY (user_id)
);
