package ai.epitome.cli;

import tools.jackson.databind.json.JsonMapper;

/// What `--json` prints, and how JSON given by a user is read.
final class Json {
    static final JsonMapper MAPPER = new JsonMapper();

    private Json() {}

    /// One line of JSON.
    static String write(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
