-- Times are milliseconds since 1970, UTC. A key itself is stored nowhere.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    lookup TEXT NOT NULL,         -- first 16 hexadecimal digits of hash
    hash TEXT NOT NULL UNIQUE,    -- SHA-256 of the key
    hint TEXT NOT NULL,           -- first and last characters of the key
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,         -- names with commas between
    requests_per_minute BIGINT,
    tokens_per_minute BIGINT,
    budget_micros BIGINT,         -- money a month, in millionths
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_key_lookup ON api_key (lookup);
CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE revoked_at IS NULL;
