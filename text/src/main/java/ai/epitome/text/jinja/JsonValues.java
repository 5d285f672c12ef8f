package ai.epitome.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import tools.jackson.databind.JsonNode;

/// JSON as [Value]s whose texts come from elsewhere.
public final class JsonValues {
    private static final int MOST_BITS = 1024;

    private JsonValues() {}

    /// @throws JinjaException if it is nested too deeply, or has an integer that is too large
    public static Value of(JsonNode json) {
        return of(json, 0);
    }

    private static Value of(JsonNode json, int depth) {
        if (depth > Value.DEEPEST) {
            throw new JinjaException("JSON nested more than " + Value.DEEPEST + " deep");
        }
        if (json.isArray()) {
            var items = new ArrayList<Value>();
            json.values().forEach(item -> items.add(of(item, depth + 1)));
            return Value.of(items);
        }
        if (json.isObject()) {
            var entries = new LinkedHashMap<String, Value>();
            json.properties().forEach(entry -> entries.put(entry.getKey(), of(entry.getValue(), depth + 1)));
            return Value.of(entries);
        }
        return scalar(json);
    }

    private static Value scalar(JsonNode json) {
        if (json.isString()) {
            return Value.of(json.stringValue());
        }
        if (json.isBoolean()) {
            return Value.of(json.booleanValue());
        }
        if (json.isIntegralNumber()) {
            BigInteger integer = json.bigIntegerValue();
            if (integer.bitLength() > MOST_BITS) {
                throw new JinjaException("an integer with more than " + MOST_BITS + " bits");
            }
            return new Value.Int(integer);
        }
        return json.isNumber() ? Value.of(json.doubleValue()) : Value.NONE;
    }
}
