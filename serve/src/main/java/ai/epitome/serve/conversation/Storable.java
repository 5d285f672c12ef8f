package ai.epitome.serve.conversation;

import java.util.stream.Collectors;

/// Text as both databases hold it: PostgreSQL takes no NUL, and neither takes half of a surrogate pair.
final class Storable {
    private static final String REPLACEMENT = "\uFFFD";

    private Storable() {}

    static String text(String text) {
        return text.codePoints().anyMatch(Storable::isUnfit)
                ? text.codePoints()
                        .mapToObj(point -> isUnfit(point) ? REPLACEMENT : Character.toString(point))
                        .collect(Collectors.joining())
                : text;
    }

    private static boolean isUnfit(int point) {
        return point == 0 || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE);
    }
}
