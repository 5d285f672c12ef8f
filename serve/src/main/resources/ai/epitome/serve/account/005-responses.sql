-- What clients of OpenAI's API have kept here. An owner is a key's id, or empty for those who need no key.
CREATE TABLE response (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,   -- seconds since 1970, as its object tells it
    status TEXT NOT NULL,
    previous_id TEXT,             -- the response that it goes on from; no reference, for that one may be deleted
    input TEXT NOT NULL,          -- items, a JSON array
    body TEXT NOT NULL,           -- the response's object
    lease_until BIGINT NOT NULL   -- milliseconds: while it is in progress, some process answers for it until then
);
CREATE TABLE api_conversation (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    items BIGINT NOT NULL         -- how many there have ever been
);
CREATE TABLE api_conversation_item (
    conversation_id TEXT NOT NULL REFERENCES api_conversation (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    id TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (conversation_id, position),
    UNIQUE (conversation_id, id)
);
