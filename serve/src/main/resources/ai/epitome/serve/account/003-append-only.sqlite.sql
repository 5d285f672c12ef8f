CREATE TRIGGER request_usage_no_update BEFORE UPDATE ON request_usage
BEGIN
    SELECT RAISE(ABORT, 'request_usage only grows');
END;
CREATE TRIGGER request_usage_no_delete BEFORE DELETE ON request_usage
BEGIN
    SELECT RAISE(ABORT, 'request_usage only grows');
END;
