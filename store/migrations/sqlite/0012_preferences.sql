-- What each user wants to see or not, as JSON. Nobody's row: the usual.
CREATE TABLE user_preferences (
    user_id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    document TEXT NOT NULL,
    CONSTRAINT user_preferences_user_unique PRIMARY KEY (user_id)
) STRICT;
