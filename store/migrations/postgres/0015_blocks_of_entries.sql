-- The entries of one commit are one row: `[[at, event], …]`, the first at the place `first`, the others without a gap.
CREATE TABLE journal_blocks (
    tenant TEXT COLLATE "C" NOT NULL,
    first BIGINT NOT NULL,
    entries TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, first)
);
INSERT INTO journal_blocks (tenant, first, entries)
    SELECT tenant, seq, '[[' || at || ',' || payload || ']]' FROM journal;
DROP TABLE journal;

-- Records follow the journal: up to which entry all of a tenant's are in their table, and up to which each one is.
ALTER TABLE journal_heads ADD COLUMN folded BIGINT NOT NULL DEFAULT 0;
UPDATE journal_heads SET folded = seq;
ALTER TABLE service_records ADD COLUMN folded BIGINT NOT NULL DEFAULT 0;
