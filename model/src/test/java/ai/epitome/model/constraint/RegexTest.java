package ai.epitome.model.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.constraint.grammar.CodePoints;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.RegexParser;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
    private static final String[] ALPHABET = {
        "a", "b", "c", "-", "1", "9", " ", "\n", "é", "ß", "日", "本", "😀", "\u0000"
    };

    private static boolean accepts(Constraint constraint, String text) {
        return constraint.accepts(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String randomText(Random random, int most) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(most + 1); length > 0; length--) {
            text.append(ALPHABET[random.nextInt(random.nextBoolean() ? 3 : ALPHABET.length)]);
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "abc",
                "a|b|",
                "(a|b)*c",
                "a+b?c*",
                "[a-c]{2,3}",
                "(ab){2}",
                "(ab){2,}",
                "[^a-c]+",
                "[^é日]*",
                "\\d+(-\\d+)?",
                "\\w+\\s\\w*",
                "(?:a|bc)+?",
                "(?<name>a)b",
                "[\\d\\-a]+",
                "\\p{L}+",
                "\\P{L}*",
                "[\\p{Lo}\\p{So}]{1,2}",
                "(a?){3}",
                "(a*)*",
                "(a*b*)*c",
                "(a|a)*",
                "(a{0,2}){2,3}",
                "((a|b){1,2}){2}",
                "\\u0061\\x62",
                "\\u{1F600}",
                "^a*$",
                "^a|b$",
                "[a\\]]+",
                "(|a)b",
                "a{0}b",
                "[😀-😂]+",
                "(a?b?){2,4}"
            })
    void matchesWhatJavaMatches(String pattern) {
        Constraint constraint = Constraint.regex(pattern);
        String forJava = pattern.replace("\\u{1F600}", "😀").replace("^a|b$", "a|b");
        Pattern java = Pattern.compile(forJava);
        Random random = new Random(pattern.hashCode());
        int matching = 0;
        for (int i = 0; i < 8000; i++) {
            String text = randomText(random, 6);
            boolean expected = java.matcher(text).matches();
            assertThat(accepts(constraint, text))
                    .as("`%s` on `%s`", pattern, text)
                    .isEqualTo(expected);
            matching += expected ? 1 : 0;
        }
        assertThat(matching).isPositive();
    }

    /// Any pattern that this small grammar makes.
    private static String randomPattern(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 3 : 8)) {
            case 0 -> "a";
            case 1 -> "[ab]";
            case 2 -> random.nextBoolean() ? "é" : "[^a]";
            case 3 -> randomPattern(random, depth - 1) + randomPattern(random, depth - 1);
            case 4 -> "(" + randomPattern(random, depth - 1) + "|" + randomPattern(random, depth - 1) + ")";
            case 5 ->
                "(" + randomPattern(random, depth - 1) + ")"
                        + List.of("*", "+", "?").get(random.nextInt(3));
            case 6 -> {
                int min = random.nextInt(3);
                yield "(%s){%d,%d}".formatted(randomPattern(random, depth - 1), min, min + random.nextInt(3));
            }
            default -> "(" + randomPattern(random, depth - 1) + "){" + random.nextInt(3) + ",}";
        };
    }

    @Property(tries = 300)
    void anyPatternMatchesWhatJavaMatches(@ForAll long seed) {
        Random random = new Random(seed);
        String pattern = randomPattern(random, 4);
        Constraint constraint = Constraint.regex(pattern);
        Dfa dfa = Dfa.of(RegexParser.parse(pattern));
        Constraint byDfa = new Constraint(Grammar.of(new Expression.Automaton(dfa, false)));
        Pattern java = Pattern.compile(pattern);
        for (int i = 0; i < 60; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(7); length > 0; length--) {
                text.append(List.of("a", "b", "é").get(random.nextInt(3)));
            }
            boolean expected = java.matcher(text).matches();
            assertThat(accepts(constraint, text.toString()))
                    .as("`%s` on `%s`", pattern, text)
                    .isEqualTo(expected);
            assertThat(accepts(byDfa, text.toString()))
                    .as("automaton of `%s` on `%s`", pattern, text)
                    .isEqualTo(expected);
        }
    }

    @Property(tries = 100)
    void automataCombine(@ForAll long seed) {
        Random random = new Random(seed);
        String first = randomPattern(random, 3);
        String second = randomPattern(random, 3);
        Dfa one = Dfa.of(RegexParser.parse(first));
        Dfa other = Dfa.of(RegexParser.parse(second));
        for (int i = 0; i < 60; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(6); length > 0; length--) {
                text.append(List.of("a", "b", "é").get(random.nextInt(3)));
            }
            boolean inOne = Pattern.matches(first, text);
            boolean inOther = Pattern.matches(second, text);
            assertThat(accepts(one.and(other), text))
                    .as("%s and %s on %s", first, second, text)
                    .isEqualTo(inOne && inOther);
            assertThat(accepts(one.minus(other), text))
                    .as("%s, not %s on %s", first, second, text)
                    .isEqualTo(inOne && !inOther);
        }
    }

    private static boolean accepts(Dfa dfa, CharSequence text) {
        int state = dfa.isEmpty() ? -1 : 0;
        for (int c : text.codePoints().toArray()) {
            if (state >= 0) {
                state = dfa.targets(state).entrySet().stream()
                        .filter(edge -> edge.getValue().contains(c))
                        .mapToInt(edge -> edge.getKey())
                        .findFirst()
                        .orElse(-1);
            }
        }
        return state >= 0 && dfa.accepts(state);
    }

    @Test
    void bytesThatAreNoCharactersNeverMatch() {
        Constraint any = Constraint.regex("[^a]*");
        for (byte[] bytes : new byte[][] {
            {(byte) 0xC0, (byte) 0x80},
            {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
            {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
            {(byte) 0xE0, (byte) 0x80, (byte) 0x80},
            {(byte) 0x80},
            {(byte) 0xFF},
            {(byte) 0xE6, (byte) 0x97}
        }) {
            assertThat(any.accepts(bytes)).isFalse();
        }
        assertThat(accepts(any, "\uD7FF\uE000\uFFFF😀")).isTrue();
    }

    @Test
    void everyCharacterIsItsOwnBytes() {
        CodePoints half = CodePoints.where(c -> c % 2 == 0);
        Constraint even = new Constraint(Grammar.of(new Expression.Characters(half)));
        for (int c = 0; c <= Character.MAX_CODE_POINT; c += c < 0x1000 ? 1 : 61) {
            if (c < 0xD800 || c > 0xDFFF) {
                assertThat(accepts(even, Character.toString(c))).as("%x", c).isEqualTo(c % 2 == 0);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "a(b ~ `(` without `)`, at character 2",
                "a)b ~ `)` without `(`, at character 2",
                "[ab ~ `[` without `]`, at character 1",
                "*a ~ `*` has nothing to repeat",
                "a** ~ a repetition of a repetition",
                "a++ ~ possessive",
                "a{3,2} ~ a repetition of 3 to 2 times",
                "a{,2} ~ a repetition is written",
                "a{999999999} ~ more than 100,000 repetitions",
                "(?=a)b ~ looking around",
                "(?<!a)b ~ looking around",
                "(?i)a ~ flags",
                "\\bword ~ word borders",
                "(a)\\1 ~ `\\1` is not supported",
                "a^b ~ beginning of the whole",
                "(a$)b ~ end of the whole",
                "a$b ~ in the middle",
                "[b-a] ~ a range that does not go",
                "[] ~ an empty set",
                "\\p{Greek} ~ an unknown property",
                "\\xg1 ~ hexadecimal",
                "a\\ ~ ends early"
            })
    void refusesWithThePlace(String pattern, String message) {
        assertThatThrownBy(() -> Constraint.regex(pattern))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatIsTooMuchIsRefused() {
        assertThatThrownBy(() -> Constraint.regex("(".repeat(101) + ")".repeat(101)))
                .hasMessageContaining("groups in each");
        assertThatThrownBy(() -> Constraint.regex("a".repeat(10_001))).hasMessageContaining("at most 10,000");
        Constraint ambiguous = Constraint.regex("((a{0,1000}){0,1000}){0,1000}b");
        assertThatThrownBy(() -> accepts(ambiguous, "a".repeat(3000))).hasMessageContaining("too ambiguous");
        assertThatThrownBy(() -> Dfa.of(RegexParser.parse("[ab]*a[ab]{20}"))).hasMessageContaining("too complex");
        assertThatThrownBy(() -> Dfa.of(RegexParser.parse("((a{1000}){1000}){1000}")))
                .hasMessageContaining("too long");
        assertThat(accepts(Constraint.regex("((a{100}){100}){100}"), "a".repeat(1_000_000)))
                .isTrue();
    }

    @FuzzTest(maxDuration = "10m")
    @DictionaryEntries({"(?:", "(?=", "\\d", "\\p{L}", "\\u00e9", "{2,}", "{0,9}", "[^", "[a-z]", "\\b", "^", "$", "|"})
    void anyPattern(byte[] bytes) {
        check(new String(bytes, StandardCharsets.UTF_8));
    }

    @Property(tries = 2000)
    void anyPieces(@ForAll long seed) {
        String[] pieces = {
            "(", ")", "[", "]", "a", "é", "|", "*", "+", "?", "{2}", "{1,3}", "{0,99}", "\\d", "\\p{L}", "^", "$", "-",
            ".", "\\"
        };
        Random random = new Random(seed);
        StringBuilder pattern = new StringBuilder();
        for (int i = random.nextInt(30); i > 0; i--) {
            pattern.append(pieces[random.nextInt(pieces.length)]);
        }
        check(pattern.toString());
    }

    private static void check(String pattern) {
        try {
            Constraint constraint = Constraint.regex(pattern);
            Guide guide = constraint.guide(TOKENS);
            for (int left = 30; left > 0 && !guide.isFinished(); left--) {
                guide.accept(lowest(guide.allowed(left)));
            }
        } catch (ConstraintException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static final TokenVocabulary TOKENS =
            Tokens.of(List.of("ab", "aa", "é", "日本")).vocabulary();

    private static int lowest(long[] tokens) {
        int word = 0;
        while (tokens[word] == 0) {
            word++;
        }
        return 64 * word + Long.numberOfTrailingZeros(tokens[word]);
    }
}
