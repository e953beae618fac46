-- Agents who had an interaction before the one in its record, and passed its customer on: the record is theirs, too.
CREATE TABLE record_agents (
    agent TEXT NOT NULL,
    interaction TEXT NOT NULL,
    PRIMARY KEY (agent, interaction)
) STRICT, WITHOUT ROWID;
