package ai.epitome.model.constraint.grammar;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Named sets of characters.
final class UnicodeClasses {
    static final CodePoints DIGITS = CodePoints.of('0', '9');
    static final CodePoints WORD = CodePoints.of('0', '9', 'a', 'z', 'A', 'Z', '_', '_');
    static final CodePoints SPACE = CodePoints.of(9, 13, ' ', ' ');
    static final CodePoints NO_LINE_END =
            CodePoints.of('\n', '\n', '\r', '\r', 0x85, 0x85, 0x2028, 0x2029).not();
    /// Not ECMA-262's white space either.
    static final CodePoints NO_SPACE = SPACE.or(CodePoints.of(
                    0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F, 0x205F,
                    0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF))
            .not();

    /// General categories by name, in the order of [Character#getType(int)].
    private static final String NAMES =
            "Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf -- Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf";
    private static final Map<String, CodePoints> CATEGORIES = new ConcurrentHashMap<>();

    private UnicodeClasses() {}

    /// The characters of a general category of Unicode, `L` or `Lu`; null when there is none of that name.
    static CodePoints category(String name) {
        if (!name.matches("[A-Z][a-z]?") || !NAMES.contains(name)) {
            return null;
        }
        String[] names = NAMES.split(" ");
        return CATEGORIES.computeIfAbsent(
                name, known -> CodePoints.where(c -> names[Character.getType(c)].startsWith(known)));
    }
}
