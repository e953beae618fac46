-- Reasons for being Not ready: when a stay ends by itself (NULL: by hand only), whether it is break time, and whether numbers
-- outside may be dialled meanwhile.
ALTER TABLE reasons ADD COLUMN ends_after_minutes INTEGER;
ALTER TABLE reasons ADD COLUMN is_break INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reasons ADD COLUMN call_out INTEGER NOT NULL DEFAULT 1;
-- Who of several agents is rung first, as JSON. NULL: as it comes.
ALTER TABLE tenants ADD COLUMN agent_order TEXT;
