-- Money here is in millionths of a millionth: a price is in millionths per million tokens, so that the cost of every
-- token is a whole number.
CREATE TABLE request_usage (
    request_id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,                 -- when the request began
    key_id TEXT REFERENCES api_key (id),
    model TEXT,
    route TEXT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,      -- those of the prompt that were not computed anew
    completion_tokens BIGINT NOT NULL,
    status INTEGER NOT NULL,
    duration_micros BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL           -- at the prices of its time
);
CREATE INDEX request_usage_at ON request_usage (at);

-- What the rows of a key cost in a month, kept by the transactions that write them.
CREATE TABLE key_spending (
    key_id TEXT NOT NULL REFERENCES api_key (id),
    month TEXT NOT NULL,                -- 2026-11, UTC
    cost_pico BIGINT NOT NULL,
    PRIMARY KEY (key_id, month)
);

CREATE TABLE price (
    model TEXT PRIMARY KEY,
    input_micros BIGINT NOT NULL,       -- millionths per million tokens
    cached_micros BIGINT NOT NULL,
    output_micros BIGINT NOT NULL
);
