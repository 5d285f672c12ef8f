package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.RegexParser;
import java.util.Map;

/// JSON Schema's formats as patterns: not all texts of a format, but only such texts. Times have no leap seconds and
/// offsets up to 14 hours; IPv6 addresses are written out.
final class JsonFormats {
    private static final String LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)";
    private static final String DATE = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    private static final String TIME =
            "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])";
    private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String LABEL = "[a-z0-9]([a-z0-9]{0,30}[a-z0-9])?";
    private static final String TOP = "[a-z]{2,8}";
    private static final String HOST = "(" + LABEL + "\\.){1,3}" + TOP;
    private static final String URI = "https?://" + HOST + "(/[A-Za-z0-9_~.-]{1,40}){0,8}/?";

    private static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "T" + TIME),
            Map.entry("duration", "P([1-9][0-9]{0,3}D(T[1-9][0-9]{0,3}H)?|T[1-9][0-9]{0,5}[HMS]|[1-9][0-9]{0,3}W)"),
            Map.entry("uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
            Map.entry("email", "[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]{1,20})?@" + HOST),
            Map.entry("hostname", HOST),
            Map.entry("ipv4", BYTE + "(\\." + BYTE + "){3}"),
            Map.entry("ipv6", "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"),
            Map.entry("uri", URI),
            Map.entry("uri-reference", URI + "|(/[A-Za-z0-9_~.-]{1,40}){1,8}"),
            Map.entry("json-pointer", "(/([A-Za-z0-9_-]|~[01]){0,40}){0,8}"));

    private JsonFormats() {}

    /// Null for one that is not known.
    static Expression of(String format) {
        String pattern = PATTERNS.get(format);
        return pattern == null ? null : RegexParser.parse(pattern);
    }

    static String names() {
        return String.join(", ", PATTERNS.keySet().stream().sorted().toList());
    }
}
