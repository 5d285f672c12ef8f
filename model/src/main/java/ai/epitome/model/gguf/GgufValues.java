package ai.epitome.model.gguf;

import ai.epitome.model.file.MalformedModelException;
import java.nio.file.Path;
import java.util.Map;

/// Metadata of an untrusted GGUF file, with look-ups whose errors name file, key, and what was expected and found.
///
/// @param file where it comes from
/// @param prefix what comes before keys: the architecture and a dot
/// @param values all of it, by whole key
record GgufValues(Path file, String prefix, Map<String, Object> values) {

    boolean has(String key) {
        return values.containsKey(prefix + key);
    }

    int integer(String key) throws MalformedModelException {
        if (!has(key)) {
            throw new MalformedModelException(
                    file, "`%s%s` is missing, expected a whole number".formatted(prefix, key));
        }
        return integer(key, 0);
    }

    int integer(String key, int absent) throws MalformedModelException {
        Object value = values.getOrDefault(prefix + key, (long) absent);
        if (value instanceof Long number && number >= 0 && number <= Integer.MAX_VALUE) {
            return number.intValue();
        }
        throw wrong(key, "a whole number below 2^31", value);
    }

    double number(String key, double absent) throws MalformedModelException {
        Object value = values.getOrDefault(prefix + key, absent);
        if (value instanceof Double number) {
            return number;
        }
        throw wrong(key, "a number with a fraction", value);
    }

    String text(String key, String absent) throws MalformedModelException {
        Object value = values.getOrDefault(prefix + key, absent);
        if (value instanceof String text) {
            return text;
        }
        throw wrong(key, "a string", value);
    }

    private MalformedModelException wrong(String key, String expected, Object found) {
        String text = String.valueOf(found);
        return new MalformedModelException(
                file,
                "`%s%s` must be %s, found %s"
                        .formatted(prefix, key, expected, text.length() > 80 ? text.substring(0, 80) + "..." : text));
    }
}
