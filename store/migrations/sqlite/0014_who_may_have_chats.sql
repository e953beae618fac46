-- How many chats a user holds at once. NULL: as group and tenant say.
ALTER TABLE users ADD COLUMN chats_max INTEGER;
-- Privileges that roles do not have, as JSON. NULL: every role has its own.
ALTER TABLE tenants ADD COLUMN withheld TEXT;
