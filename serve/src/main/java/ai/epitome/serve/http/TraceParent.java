package ai.epitome.serve.http;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where a request belongs in its caller's trace ([W3C Trace Context](https://www.w3.org/TR/trace-context/), section
/// 3.2).
public record TraceParent(String traceId, String spanId) {
    private static final Pattern FORM =
            Pattern.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?");

    /// Empty for what is none: it is ignored then, as the recommendation says.
    public static Optional<TraceParent> parse(String header) {
        Matcher matcher = FORM.matcher(header);
        boolean valid = matcher.matches()
                && !matcher.group(1).equals("ff")
                && !(matcher.group(1).equals("00") && matcher.group(4) != null)
                && !matcher.group(2).matches("0*")
                && !matcher.group(3).matches("0*");
        return valid ? Optional.of(new TraceParent(matcher.group(2), matcher.group(3))) : Optional.empty();
    }
}
