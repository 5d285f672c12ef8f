-- Models that clients have made of others. An owner is a key's id, or empty for those who need no key.
CREATE TABLE fine_tuning_job (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,   -- seconds since 1970
    status TEXT NOT NULL,
    body TEXT NOT NULL,           -- the job's object
    lease_until BIGINT NOT NULL   -- milliseconds: until then some process works on it
);
CREATE INDEX fine_tuning_job_owner ON fine_tuning_job (owner, created_at);
CREATE TABLE fine_tuning_event (
    job_id TEXT NOT NULL REFERENCES fine_tuning_job (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,       -- from 1
    event TEXT NOT NULL,          -- the event's object
    PRIMARY KEY (job_id, number)
);
CREATE TABLE tuned_model (
    id TEXT PRIMARY KEY,          -- the name that requests ask for
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,   -- seconds since 1970
    base TEXT NOT NULL,           -- name of the model that it was made of
    folder TEXT NOT NULL,         -- within the folder of fine-tuned models
    job_id TEXT NOT NULL,
    step BIGINT NOT NULL,
    checkpoint INTEGER NOT NULL,  -- 1 for a state on the way, 0 for what a job has come to
    metrics TEXT NOT NULL         -- of a checkpoint, a JSON object
);
CREATE INDEX tuned_model_job ON tuned_model (job_id, step);
