-- What we sign in with at carriers. Unlike the secrets of those who sign in here it is kept in clear: the realm that a digest
-- is made with is the carrier's to choose.
ALTER TABLE trunks ADD COLUMN account TEXT;
CREATE TABLE trunk_passwords (
    owner TEXT NOT NULL PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
    password TEXT NOT NULL
) STRICT;
