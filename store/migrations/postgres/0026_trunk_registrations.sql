-- Trunks that register with their carriers.
ALTER TABLE trunks ADD COLUMN registers BOOLEAN NOT NULL DEFAULT FALSE;
