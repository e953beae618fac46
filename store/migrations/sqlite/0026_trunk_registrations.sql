-- Trunks that register with their carriers.
ALTER TABLE trunks ADD COLUMN registers INTEGER NOT NULL DEFAULT 0;
