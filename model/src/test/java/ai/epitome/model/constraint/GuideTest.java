package ai.epitome.model.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.Steps;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Masks beside every token tried by itself, and ends that come in time.
class GuideTest {
    private static final List<String> TEXTS = List.of(
            "{\"name\": \"Jürgen\", \"age\": 41, \"tags\": [\"日本語\", \"x\\n\\u00e9\"], \"none\": null}",
            "aabbaé日本😀 12-34 true false, \"quoted\" \\\"escaped\\\" ]}]},\n    ");

    private static Stream<Arguments> constraints() {
        return Stream.of(
                Arguments.of("letters", Constraint.regex("[a-z]+(, [a-z]+)*")),
                Arguments.of("counted", Constraint.regex("(é|[^é]){3,20}")),
                Arguments.of("characters", Constraint.regex("[日本語é😀]{2,5}x")),
                Arguments.of("nullable", Constraint.regex("(a?b?){2,7}c")),
                Arguments.of("json", Constraint.jsonObject()),
                Arguments.of("string", new Constraint(Grammar.of(JsonText.string(2, 12)))),
                Arguments.of("long string", new Constraint(Grammar.of(JsonText.string(0, 200)))),
                Arguments.of("any string", new Constraint(Grammar.of(JsonText.string(0, -1)))),
                Arguments.of("balanced", Constraint.gbnf("root ::= \"a\" root? \"b\" | \"(\" root \")\"")),
                Arguments.of(
                        "ambiguous", Constraint.gbnf("root ::= x x x\nx ::= \"a\"* y | \"aa\"\ny ::= \"ab\" | \"b\"")));
    }

    static boolean has(long[] tokens, int token) {
        return (tokens[token >> 6] >> token & 1) != 0;
    }

    private static int draw(long[] tokens, int size, Random random) {
        List<Integer> allowed = new ArrayList<>();
        for (int token = 0; token < size; token++) {
            if (has(tokens, token)) {
                allowed.add(token);
            }
        }
        return allowed.get(random.nextInt(allowed.size()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("constraints")
    void masksAreWhatEveryTokenSays(String name, Constraint constraint) {
        Tokens tokens = Tokens.piecesOf(TEXTS, 150, 7);
        TokenVocabulary vocabulary = tokens.vocabulary();
        Random random = new Random(3);
        for (int run = 0; run < 4; run++) {
            Guide guide = constraint.guide(vocabulary);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            for (int step = 0; step < 14 && !guide.isFinished(); step++) {
                long[] allowed = guide.allowed(1_000_000);
                for (int token = 0; token < tokens.end(); token++) {
                    assertThat(has(allowed, token))
                            .as(
                                    "%s: token %d, `%s`, behind `%s`",
                                    name, token, new String(tokens.token(token), StandardCharsets.UTF_8), text)
                            .isEqualTo(Steps.mayFollow(constraint.network(), text.toByteArray(), tokens.token(token)));
                }
                assertThat(has(allowed, tokens.end())).isEqualTo(constraint.accepts(text.toByteArray()));
                int token = draw(allowed, tokens.end(), random);
                guide.accept(token);
                text.writeBytes(tokens.token(token));
                if (guide.isWhole()) {
                    assertThat(constraint.accepts(text.toByteArray())).isTrue();
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("constraints")
    void theEndComesInTime(String name, Constraint constraint) {
        Tokens tokens = Tokens.piecesOf(TEXTS, 150, 8);
        TokenVocabulary vocabulary = tokens.vocabulary();
        Random random = new Random(5);
        for (int budget : new int[] {8, 9, 12, 20, 50}) {
            for (int run = 0; run < 10; run++) {
                Guide guide = constraint.guide(vocabulary);
                ByteArrayOutputStream text = new ByteArrayOutputStream();
                for (int left = budget; left > 0 && !guide.isFinished(); left--) {
                    int token = draw(guide.allowed(left), tokens.bytes().size(), random);
                    guide.accept(token);
                    text.writeBytes(tokens.token(token));
                }
                assertThat(guide.isWhole())
                        .as("%s in %d tokens: `%s`", name, budget, text)
                        .isTrue();
                assertThat(constraint.accepts(text.toByteArray()))
                        .as("`%s`", text)
                        .isTrue();
            }
        }
    }

    @Test
    void whereBytesDoNotFitTheFewestTokensDo() {
        Tokens tokens = Tokens.of(List.of("{\"a very long name\"", ": 1", "0000", "}"));
        Constraint constraint = Constraint.regex("\\{\"a very long name\": 10000(x|y)*\\}");
        Guide guide = constraint.guide(tokens.vocabulary());
        List<Integer> written = new ArrayList<>();
        for (int left = 4; left > 0; left--) {
            long[] allowed = guide.allowed(left);
            int token = draw(allowed, tokens.bytes().size(), new Random(1));
            written.add(token);
            guide.accept(token);
        }
        assertThat(written).hasSize(4).doesNotHaveDuplicates();
        assertThat(guide.isFinished()).isTrue();
        assertThat(has(constraint.guide(tokens.vocabulary()).allowed(3), '{'))
                .as("3 are too few: cut")
                .isTrue();
    }

    @Test
    void theEndOfTextComesOnlyWhenTheTextIsWhole() {
        Tokens tokens = Tokens.of(List.of());
        Guide guide = Constraint.regex("ab*").guide(tokens.vocabulary());
        assertThat(has(guide.allowed(9), tokens.end())).isFalse();
        assertThatThrownBy(() -> guide.accept(tokens.end())).hasMessageContaining("may not follow");
        guide.accept('a');
        assertThat(has(guide.allowed(9), tokens.end())).isTrue();
        assertThat(guide.isFinished()).isFalse();
        guide.accept(tokens.end());
        assertThat(guide.isFinished()).isTrue();
        assertThatThrownBy(() -> guide.accept('b')).hasMessageContaining("may not follow");
    }

    @Test
    void aTokenThatEndsATextIsNeverText() {
        Tokens tokens = Tokens.of(List.of());
        TokenVocabulary vocabulary = new TokenVocabulary(tokens, Set.of((int) 'b'));
        Guide guide = Constraint.regex("[ab]+c").guide(vocabulary);
        guide.accept('a');
        assertThat(has(guide.allowed(9), 'b')).isFalse();
        assertThat(has(guide.allowed(9), tokens.end())).as("a control token").isFalse();
    }

    @Test
    void aVocabularyThatCannotSpellItIsTold() {
        List<byte[]> letters = List.of(new byte[] {'a'}, new byte[0]);
        Guide guide = Constraint.regex("ab").guide(new Tokens(letters).vocabulary());
        guide.accept(0);
        assertThatThrownBy(() -> guide.allowed(5))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining("can go on");
    }

    @Test
    void manyTextsOfOneConstraintDoNotDisturbEachOther() {
        Tokens tokens = Tokens.piecesOf(TEXTS, 100, 2);
        TokenVocabulary vocabulary = tokens.vocabulary();
        Constraint constraint = new Constraint(Grammar.of(JsonText.string(0, 5000)));
        List<Guide> guides =
                Stream.generate(() -> constraint.guide(vocabulary)).limit(6).toList();
        Random random = new Random(4);
        for (Guide guide : guides) {
            guide.accept('"');
        }
        for (int step = 0; step < 300; step++) { // more masks than are kept
            for (Guide guide : guides) {
                int token = draw(guide.allowed(100_000), tokens.end(), random);
                if (token != '"' && !new String(tokens.token(token), StandardCharsets.UTF_8).contains("\"")) {
                    guide.accept(token);
                }
            }
        }
        guides.forEach(guide -> assertThat(guide.isWhole()).isFalse());
    }
}
