package ai.epitome.model.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.constraint.grammar.ConstraintException;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GbnfTest {
    private static final String ARITHMETIC = """
            # sums of products
            root  ::= sum
            sum   ::= product ( [-+] product )*   # both signs
            product ::= value (
                ("*" | "/") value
            )*
            value ::= number |
                      "(" sum ")"
            number ::= [0-9]{1,3} ("." [0-9]+)?
            """;

    private static boolean accepts(String grammar, String text) {
        return Constraint.gbnf(grammar).accepts(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsTheWholeNotation() {
        assertThat(accepts(ARITHMETIC, "1+2*(3-4.50)/999")).isTrue();
        assertThat(accepts(ARITHMETIC, "1+")).isFalse();
        assertThat(accepts(ARITHMETIC, "1000")).isFalse();
        assertThat(accepts(ARITHMETIC, "((((1))))")).isTrue();
        assertThat(accepts(ARITHMETIC, "((((1)))")).isFalse();
        assertThat(accepts("root ::= \"\\x41\\u00e9\\U0001F600\\n\\\"\" [^\\]\\n] .", "Aé😀\n\"x]"))
                .isTrue();
        assertThat(accepts("root ::= a{2} b{,2} c{1,}\na ::= \"a\"\nb ::= \"b\"\nc ::= \"c\"", "aabc"))
                .isTrue();
        assertThat(accepts("root ::= a{2} b{,2} c{1,}\na ::= \"a\"\nb ::= \"b\"\nc ::= \"c\"", "aabbbc"))
                .isFalse();
        assertThat(accepts("root ::= \"a\" | \r\n  \"b\"\r\n", "b")).isTrue();
        assertThat(accepts("root ::= \"\" | \"x\" root", "xxxxxxxx")).isTrue();
        assertThat(accepts("root ::= [a-]+", "a-a")).isTrue();
    }

    @Test
    void rightRecursionNeedsNoDepth() {
        assertThat(accepts("root ::= \"x\" root | \"y\"", "x".repeat(100_000) + "y"))
                .isTrue();
        assertThat(accepts("root ::= a\na ::= \"x\" b | \"\"\nb ::= \"z\" a", "xz".repeat(50_000)))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "root ::= root \"a\" | \"b\" ~ rule `root` begins with itself",
                "root ::= a \\n a ::= \"b\"? root ~ begins with itself",
                "root ::= (\"x\"* root)? ~ begins with itself",
                "root ::= (\"x\"? root){2,3} ~ begins with itself",
                "root ::= a ~ there is no rule `a`, at line 1, column 10",
                "thing ::= \"a\" ~ there is no rule `root`",
                "root ::= \"a\" \\n root ::= \"b\" ~ a second rule `root`, at line 2",
                "root = \"a\" ~ `::=` was expected",
                "root ::= \"a ~ ends early",
                "root ::= [a ~ ends early",
                "root ::= (\"a\" ~ `)` was expected",
                "root ::= \"a\") ~ the end of the rule was expected",
                "root ::= * ~ a literal, a set, a name or a bracket",
                "root ::= \"a\"{3,1} ~ a repetition of 3 to 1",
                "root ::= \"a\"{x} ~ a number of repetitions",
                "root ::= [z-a] ~ a range from a character down",
                "root ::= \"\\q\" ~ an unknown escape",
                "root ::= \"a\" root ~ no text meets it",
                "root ::= [] ~ no text meets it",
                "root ::= <[1]> ~ a literal, a set"
            })
    void refusesWithThePlace(String grammar, String message) {
        assertThatThrownBy(() -> Constraint.gbnf(grammar.replace(" \\n ", "\n")))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatIsTooMuchIsRefused() {
        assertThatThrownBy(() -> Constraint.gbnf("root ::= " + "(".repeat(101) + "\"a\"" + ")".repeat(101)))
                .hasMessageContaining("brackets in each other");
        assertThatThrownBy(() -> Constraint.gbnf("root ::= \"a\"" + "*".repeat(101)))
                .hasMessageContaining("repetitions of each");
        StringBuilder doubling = new StringBuilder("root ::= r0\nr40 ::= \"a\"\n");
        for (int i = 0; i < 40; i++) {
            doubling.append("r%d ::= r%d \"x\" | r%d \"y\"\n".formatted(i, i + 1, i + 1));
        }
        assertThatThrownBy(() -> accepts(doubling.toString(), "a")).hasMessageContaining("too ambiguous");
    }

    @FuzzTest(maxDuration = "10m")
    @DictionaryEntries({"root ::= ", "::=", "[a-z]", "[^", "{2,}", "{0,9}", "{,3}", "# ", "|"})
    void anyGrammar(byte[] bytes) {
        check(new String(bytes, StandardCharsets.UTF_8));
    }

    @Property(tries = 2000)
    void anyPieces(@ForAll long seed) {
        String[] pieces = {
            "root ::= ",
            "a ::= ",
            "\n",
            " ",
            "a",
            "root",
            "\"x\"",
            "\"\"",
            "[a-z]",
            "[^\\n]",
            "|",
            "(",
            ")",
            "*",
            "+",
            "?",
            "{2}",
            "{0,9}",
            "#",
            "."
        };
        Random random = new Random(seed);
        StringBuilder grammar = new StringBuilder("root ::= ");
        for (int i = random.nextInt(25); i > 0; i--) {
            grammar.append(pieces[random.nextInt(pieces.length)]);
        }
        check(grammar.toString());
    }

    private static void check(String grammar) {
        try {
            Constraint.gbnf(grammar).accepts("xxax".getBytes(StandardCharsets.UTF_8));
        } catch (ConstraintException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }
}
