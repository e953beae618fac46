-- How recordings of a service are treated, as JSON: longest pause and the like. Empty: as it comes.
ALTER TABLE services ADD COLUMN recording TEXT NOT NULL DEFAULT '{}';
