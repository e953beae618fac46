-- The number outside by which a user can be reached.
ALTER TABLE users ADD COLUMN mobile TEXT;
