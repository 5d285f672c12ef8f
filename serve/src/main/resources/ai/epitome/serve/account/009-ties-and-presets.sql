-- 1 where somebody found neither of the two answers better; then 'chosen' and 'rejected' only name them.
ALTER TABLE preference ADD COLUMN tie INTEGER NOT NULL DEFAULT 0;

-- Beginnings of conversations that people keep under a name.
CREATE TABLE preset (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,           -- id of an API key; empty for whoever sits at this machine
    name TEXT NOT NULL,
    mode TEXT NOT NULL,            -- chat or text
    system_prompt TEXT NOT NULL,
    temperature DOUBLE PRECISION NOT NULL,
    top_p DOUBLE PRECISION NOT NULL,
    max_tokens INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX preset_name ON preset (owner, name);
