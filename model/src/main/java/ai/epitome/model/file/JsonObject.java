package ai.epitome.model.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A JSON object of an untrusted file, with look-ups whose errors name file, key, and what was expected and found.
/// A value that is null counts as absent.
///
/// @param file where it comes from
/// @param path keys that lead to it, for messages; empty for the whole file
/// @param node the object
public record JsonObject(Path file, String path, ObjectNode node) {
    private static final int MOST_DEPTH = 64;
    private static final long MOST_BYTES = 64L << 20;
    /// Duplicate keys are an error: two readers must not see two different models.
    public static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MOST_DEPTH)
                            .build())
                    .build())
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /// Reads a whole file.
    public static JsonObject read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MOST_BYTES) {
            throw new MalformedModelException(
                    file, "%,d bytes of JSON, at most %,d are read".formatted(size, MOST_BYTES));
        }
        return parse(file, "", Files.readAllBytes(file));
    }

    /// Parses `json`, which lies in `file`; `where` says what it is when that is not the whole file.
    public static JsonObject parse(Path file, String where, byte[] json) throws MalformedModelException {
        try {
            JsonNode tree = MAPPER.readTree(json);
            if (tree instanceof ObjectNode object) {
                return new JsonObject(file, "", object);
            }
            throw new MalformedModelException(file, where + "expected a JSON object, found " + kind(tree));
        } catch (JacksonException e) {
            String message = e.getOriginalMessage();
            throw new MalformedModelException(
                    file,
                    "%snot valid JSON at byte %d: %s"
                            .formatted(
                                    where,
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getByteOffset(),
                                    message),
                    e);
        }
    }

    private static String kind(JsonNode node) {
        return node.isMissingNode() ? "nothing" : node.getNodeType().name().toLowerCase(Locale.ROOT);
    }

    /// The value of `key`, or null where there is none.
    public JsonNode find(String key) {
        JsonNode value = node.get(key);
        return value == null || value.isNull() ? null : value;
    }

    /// Whether there is a value other than null.
    public boolean has(String key) {
        return find(key) != null;
    }

    /// @throws MalformedModelException when it is missing, or no whole number of 32 bits; so for the other
    /// types
    public int integer(String key) throws MalformedModelException {
        return integer(key, required(key, "a whole number"));
    }

    /// @param absent what is returned where there is no value, or null
    public int integer(String key, int absent) throws MalformedModelException {
        return has(key) ? integer(key, find(key)) : absent;
    }

    private int integer(String key, JsonNode value) throws MalformedModelException {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(key, "a whole number below 2^31", value);
        }
        return value.intValue();
    }

    public double number(String key) throws MalformedModelException {
        required(key, "a number");
        return number(key, 0);
    }

    public double number(String key, double absent) throws MalformedModelException {
        JsonNode value = find(key);
        if (value == null) {
            return absent;
        }
        if (!value.isNumber()) {
            throw wrong(key, "a number", value);
        }
        return value.doubleValue();
    }

    public boolean flag(String key, boolean absent) throws MalformedModelException {
        JsonNode value = find(key);
        if (value == null) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw wrong(key, "true or false", value);
        }
        return value.booleanValue();
    }

    public String text(String key) throws MalformedModelException {
        required(key, "a string");
        return text(key, "");
    }

    public String text(String key, String absent) throws MalformedModelException {
        JsonNode value = find(key);
        if (value == null) {
            return absent;
        }
        if (!value.isString()) {
            throw wrong(key, "a string", value);
        }
        return value.stringValue();
    }

    /// The object under `key`.
    public JsonObject object(String key) throws MalformedModelException {
        if (required(key, "an object") instanceof ObjectNode object) {
            return new JsonObject(file, path + key + ".", object);
        }
        throw wrong(key, "an object", find(key));
    }

    private JsonNode required(String key, String expected) throws MalformedModelException {
        JsonNode value = find(key);
        if (value == null) {
            throw new MalformedModelException(file, "`%s%s` is missing, expected %s".formatted(path, key, expected));
        }
        return value;
    }

    /// That the value of `key` is not what it must be.
    ///
    /// @param expected as in: `must be EXPECTED, found ...`
    public MalformedModelException wrong(String key, String expected, JsonNode found) {
        String text = found.toString();
        return new MalformedModelException(
                file,
                "`%s%s` must be %s, found %s"
                        .formatted(path, key, expected, text.length() > 80 ? text.substring(0, 80) + "..." : text));
    }
}
