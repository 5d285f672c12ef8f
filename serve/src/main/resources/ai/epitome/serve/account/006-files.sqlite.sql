CREATE TABLE stored_file (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,   -- seconds since 1970
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX stored_file_owner ON stored_file (owner, created_at);
