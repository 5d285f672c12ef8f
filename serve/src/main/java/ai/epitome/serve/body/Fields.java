package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import java.util.OptionalInt;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/// Takes bounded values out of a JSON object. A field that is absent or null has its default; one of the wrong type or
/// out of bounds is an [ApiException] that names it.
public record Fields(JsonNode object) {

    /// The field's value; Jackson's missing node where it is absent or null.
    public JsonNode get(String name) {
        JsonNode value = object.path(name);
        return value.isNull() ? object.path("") : value;
    }

    /// Whether the field is there and not null.
    public boolean has(String name) {
        return object.hasNonNull(name);
    }

    /// A string that must be there.
    ///
    /// @param maxLength most UTF-16 units
    public String text(String name, int maxLength) {
        JsonNode value = object.path(name);
        if (!value.isString()) {
            throw ApiException.badParameter(name, "'" + name + "' must be a string.");
        }
        if (value.stringValue().length() > maxLength) {
            throw ApiException.badParameter(name, "'" + name + "' must have at most " + maxLength + " characters.");
        }
        return value.stringValue();
    }

    /// True or false; false where it is absent.
    public boolean flag(String name) {
        if (!has(name)) {
            return false;
        }
        JsonNode value = object.path(name);
        if (!value.isBoolean()) {
            throw ApiException.badParameter(name, "'" + name + "' must be true or false.");
        }
        return value.booleanValue();
    }

    /// A number of `from` to `to`, or `absent`.
    public double number(String name, double from, double to, double absent) {
        return has(name) ? number(object.path(name), name, from, to) : absent;
    }

    /// The number that `value` is.
    ///
    /// @param name of the field, for the error
    public static double number(JsonNode value, String name, double from, double to) {
        if (!value.isNumber()) {
            throw ApiException.badParameter(name, "'" + name + "' must be a number.");
        }
        double number = value.doubleValue();
        if (!(number >= from && number <= to)) {
            throw ApiException.badParameter(
                    name, "'" + name + "' must be between " + plain(from) + " and " + plain(to) + ".");
        }
        return number;
    }

    /// A whole number of `from` to `to`, or `absent`.
    public int integer(String name, int from, int to, int absent) {
        return optionalInteger(name, from, to).orElse(absent);
    }

    public OptionalInt optionalInteger(String name, int from, int to) {
        return has(name) ? OptionalInt.of(integer(object.path(name), name, from, to)) : OptionalInt.empty();
    }

    /// The whole number that `value` is.
    ///
    /// @param name of the field, for the error
    public static int integer(JsonNode value, String name, int from, int to) {
        if (!value.isIntegralNumber()) {
            throw ApiException.badParameter(name, "'" + name + "' must be an integer.");
        }
        if (!value.canConvertToInt() || value.intValue() < from || value.intValue() > to) {
            throw ApiException.badParameter(name, "'" + name + "' must be between " + from + " and " + to + ".");
        }
        return value.intValue();
    }

    /// Any whole number of 64 bits.
    public OptionalLong optionalLong(String name) {
        if (!has(name)) {
            return OptionalLong.empty();
        }
        JsonNode value = object.path(name);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw ApiException.badParameter(name, "'" + name + "' must be an integer of at most 64 bits.");
        }
        return OptionalLong.of(value.longValue());
    }

    private static String plain(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}
