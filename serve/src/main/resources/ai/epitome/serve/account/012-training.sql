-- Tokens that fine-tuning jobs were trained on, and what a million of them costs.
ALTER TABLE price ADD COLUMN training_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request_usage ADD COLUMN training_tokens BIGINT NOT NULL DEFAULT 0;
