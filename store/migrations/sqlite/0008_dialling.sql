-- Which numbers outside may be dialled, as JSON. NULL: as it comes, also when that changes with a new release.
ALTER TABLE tenants ADD COLUMN dialling TEXT;
