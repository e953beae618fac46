-- What was written in chats and emails, apart from the journal, so that each message can be erased.
CREATE TABLE messages (
    interaction TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C",
    text TEXT NOT NULL,
    PRIMARY KEY (interaction, number)
);
