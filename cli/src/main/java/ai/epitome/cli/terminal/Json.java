package ai.epitome.cli.terminal;

import tools.jackson.databind.json.JsonMapper;

/// What `--json` prints, and how JSON given by a user is read.
public final class Json {
    public static final JsonMapper MAPPER = new JsonMapper();

    private Json() {}

    /// One line of JSON.
    public static String write(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
