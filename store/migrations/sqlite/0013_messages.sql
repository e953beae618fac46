-- What was written in chats and emails, apart from the journal, so that each message can be erased.
CREATE TABLE messages (
    interaction TEXT NOT NULL,
    number INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    agent TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (interaction, number)
) STRICT, WITHOUT ROWID;
