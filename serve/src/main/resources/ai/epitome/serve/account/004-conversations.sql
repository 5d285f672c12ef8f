-- Conversations of the chat page. Messages make a tree: another version of a message has the same parent.
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,           -- id of an API key; empty for whoever sits at this machine
    title TEXT NOT NULL,
    folder TEXT NOT NULL,          -- empty for none
    mode TEXT NOT NULL,            -- chat or text
    model TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    temperature DOUBLE PRECISION NOT NULL,
    top_p DOUBLE PRECISION NOT NULL,
    max_tokens INTEGER NOT NULL,
    messages INTEGER NOT NULL,     -- number of the newest message
    characters BIGINT NOT NULL,    -- of all messages
    leaf INTEGER NOT NULL,         -- message at which the branch that is shown ends; 0 while there is none
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX conversation_owner ON conversation (owner, updated_at);
CREATE TABLE message (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,       -- from 1, in the order in which they were written
    parent INTEGER NOT NULL,       -- what it answers; 0 for the first ones
    role TEXT NOT NULL,            -- user or assistant
    content TEXT NOT NULL,
    attachments TEXT NOT NULL,     -- [{"name", "text"}]; empty for none
    state TEXT NOT NULL,           -- done, running, stopped, length or failed
    model TEXT NOT NULL,           -- who answered; empty for people
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    milliseconds BIGINT NOT NULL,  -- from the first token of an answer to its last
    cost_pico BIGINT NOT NULL,
    rating INTEGER NOT NULL,       -- 1 for good, -1 for bad, 0 for nothing said
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (conversation, number)
);
-- Which of two answers to one message somebody found better.
CREATE TABLE preference (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    chosen INTEGER NOT NULL,       -- numbers of messages
    rejected INTEGER NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (conversation, chosen, rejected)
);
