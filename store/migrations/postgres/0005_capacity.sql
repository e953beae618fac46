-- What an agent carries at once, as JSON. NULL: as it comes, also when that changes with a new release.
ALTER TABLE tenants ADD COLUMN capacity TEXT;
