-- What is done about texts, as JSON or a word; null for what is done where nothing is said.
ALTER TABLE api_key ADD COLUMN moderation TEXT;

-- What was found in a request's texts, as 'input:hate=refuse output:violence=log': never the texts.
ALTER TABLE request_usage ADD COLUMN moderation TEXT;
