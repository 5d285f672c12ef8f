CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,   -- seconds since 1970
    status TEXT NOT NULL,
    body TEXT NOT NULL,           -- the batch's object
    lease_until BIGINT NOT NULL   -- milliseconds: until then some process works on it
);
CREATE INDEX batch_owner ON batch (owner, created_at);
CREATE TABLE batch_result (
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,        -- of the input file, from 0
    good INTEGER NOT NULL,        -- 1 for a line of the output file, 0 for one of the error file
    result TEXT NOT NULL,
    PRIMARY KEY (batch_id, line)
);
