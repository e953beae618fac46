-- How messages for extensions are taken and kept, as JSON. NULL: as they come.
ALTER TABLE tenants ADD COLUMN own_voicemail TEXT;
