package ai.epitome.serve.moderation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.moderation.ModerationPolicy.Action;
import ai.epitome.serve.moderation.ModerationPolicy.Side;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModerationPolicyTest {
    /// Flags from 0.3 on, whatever the category.
    private static final Moderator MODERATOR = new Moderator() {
        @Override
        public String name() {
            return "fixed";
        }

        @Override
        public Map<Category, Double> scores(String text) {
            return Map.of();
        }

        @Override
        public double threshold(Category category) {
            return 0.3;
        }
    };

    @Test
    void theGravestActionIsTaken() {
        ModerationPolicy policy = ModerationPolicy.parse("""
                {"input": {"*": {"log": true}, "hate": {"flag": 0.4, "refuse": 0.8}}}""");
        assertThat(policy.judge(Side.INPUT, Map.of(Category.HATE, 0.8, Category.SEXUAL, 0.3), MODERATOR))
                .isEqualTo(Map.of(Category.HATE, Action.REFUSE, Category.SEXUAL, Action.LOG));
        assertThat(policy.judge(Side.INPUT, Map.of(Category.HATE, 0.79), MODERATOR))
                .isEqualTo(Map.of(Category.HATE, Action.FLAG));
        assertThat(policy.judge(Side.INPUT, Map.of(Category.HATE, 0.39, Category.SEXUAL, 0.29), MODERATOR))
                .isEmpty();
        assertThat(policy.judge(Side.OUTPUT, Map.of(Category.HATE, 1.0), MODERATOR))
                .isEmpty();
        assertThat(policy.looksAt(Side.OUTPUT)).isFalse();
        assertThat(policy.refuses(Side.INPUT)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "off",
                "log",
                "flag",
                "refuse",
                "{\"input\":{\"hate\":{\"flag\":0.25,\"refuse\":true}},\"output\":{}}",
            })
    void isWrittenAsItIsRead(String text) {
        assertThat(ModerationPolicy.parse(text).text()).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "never | 'never' is none of off, log, flag and refuse",
                "{ | is no JSON",
                "{\"inputs\": {}} | 'inputs' is none of its parts",
                "{\"input\": []} | input must be an object",
                "{\"input\": {\"rude\": {}}} | there is no category 'rude'",
                "{\"input\": {\"hate\": 0.5}} | input, hate: expected an object",
                "{\"output\": {\"hate\": {\"refuse\": 2}}} | output, hate: refuse must be above 0 and at most 1",
                "{\"output\": {\"*\": {\"forbid\": 1}}} | output, *: 'forbid' is none of log, flag and refuse",
            })
    void whatIsWrongIsSaid(String text, String message) {
        assertThatThrownBy(() -> ModerationPolicy.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Property(tries = 300)
    void anythingElseIsRefused(@ForAll String text) {
        try {
            ModerationPolicy.parse(text);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("moderation policy");
        }
    }
}
