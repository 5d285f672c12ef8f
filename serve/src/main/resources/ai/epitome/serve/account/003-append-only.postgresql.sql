CREATE FUNCTION request_usage_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'request_usage only grows';
END
$$;
CREATE TRIGGER request_usage_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_usage
    FOR EACH STATEMENT EXECUTE FUNCTION request_usage_only_grows();
