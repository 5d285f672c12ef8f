-- Which adapter answers for a served model. The last row of a model that nothing has taken back is the one that counts.
CREATE TABLE promotion (
    number BIGINT PRIMARY KEY,    -- from 1
    model TEXT NOT NULL,          -- name of the served model
    adapter TEXT NOT NULL,        -- folder of the adapter
    created_at BIGINT NOT NULL,   -- milliseconds since 1970
    reason TEXT NOT NULL,         -- in words
    taken_back_at BIGINT          -- milliseconds since 1970
);
CREATE INDEX promotion_model ON promotion (model, number);
