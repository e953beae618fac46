-- Reasons for being Not ready: when a stay ends by itself (NULL: by hand only), and whether it is break time.
ALTER TABLE reasons ADD COLUMN ends_after_minutes INTEGER;
ALTER TABLE reasons ADD COLUMN is_break INTEGER NOT NULL DEFAULT 0;
-- Who of several agents is rung first, as JSON. NULL: as it comes.
ALTER TABLE tenants ADD COLUMN agent_order TEXT;
