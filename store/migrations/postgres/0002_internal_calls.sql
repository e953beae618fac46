-- Internal calls: the colleague who called has the record too.
ALTER TABLE service_records ADD COLUMN calling_agent TEXT COLLATE "C";
CREATE INDEX service_records_calling_agent ON service_records (calling_agent, arrived_at)
    WHERE calling_agent IS NOT NULL;

-- What a tenant sets for its agents, as JSON. NULL: as it comes.
ALTER TABLE tenants ADD COLUMN offer_window TEXT COLLATE "C";
ALTER TABLE tenants ADD COLUMN system_names TEXT COLLATE "C";
