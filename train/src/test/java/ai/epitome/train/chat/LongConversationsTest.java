package ai.epitome.train.chat;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.data.Example;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LongConversationsTest {
    private static final ChatEncoding FORMAT = ChatStyle.CHATML.over(new ByteTokenizer());
    private static final Turn SYSTEM = new Turn(Speaker.SYSTEM, "S");

    private static TrainingConversation exchanges(int count) {
        List<Turn> turns = new ArrayList<>(List.of(SYSTEM));
        for (int i = 0; i < count; i++) {
            turns.add(new Turn(Speaker.USER, "q" + i));
            turns.add(new Turn(Speaker.ASSISTANT, "a" + i));
        }
        return new TrainingConversation(turns);
    }

    private static int tokens(TrainingConversation conversation) {
        return FORMAT.render(conversation).tokens().length;
    }

    private static List<String> texts(List<Example> examples) {
        return examples.stream()
                .map(example -> new String(FORMAT.tokenizer().decode(example.tokens())))
                .toList();
    }

    private static int learned(List<Example> examples) {
        return examples.stream().mapToInt(Example::learnedTokens).sum();
    }

    @Test
    void whatFitsIsKeptWhateverThePolicy() {
        TrainingConversation two = exchanges(2);
        for (LongConversations policy : LongConversations.values()) {
            assertThat(policy.examples(two, FORMAT, tokens(two)))
                    .usingRecursiveComparison()
                    .isEqualTo(List.of(FORMAT.render(two)));
        }
    }

    @Test
    void droppedIsGone() {
        assertThat(LongConversations.DROP.examples(exchanges(2), FORMAT, tokens(exchanges(2)) - 1))
                .isEmpty();
    }

    @Test
    void cutKeepsTheBeginning() {
        int most = tokens(exchanges(2)) - 1;
        List<Example> cut = LongConversations.CUT.examples(exchanges(2), FORMAT, most);
        assertThat(cut).hasSize(1);
        assertThat(cut.getFirst().tokens()).hasSize(most);
        assertThat(cut.getFirst().learnedTokens()).isEqualTo(5); // the end of the last turn is missing
    }

    @Test
    void cutBeforeTheFirstAnswerIsLost() {
        int most = FORMAT.prompt(exchanges(1).turns().subList(0, 2)).length;
        assertThat(LongConversations.CUT.examples(exchanges(1), FORMAT, most)).isEmpty();
        assertThat(LongConversations.CUT.examples(exchanges(1), FORMAT, most + 1))
                .hasSize(1);
    }

    /// Every answer is learned once, and follows what the system says.
    @Test
    void splitIsBetweenExchanges() {
        List<Example> parts = LongConversations.SPLIT.examples(exchanges(5), FORMAT, tokens(exchanges(2)));
        assertThat(texts(parts))
                .containsExactly(
                        "system\nS\nuser\nq0\nassistant\na0\nuser\nq1\nassistant\na1",
                        "system\nS\nuser\nq2\nassistant\na2\nuser\nq3\nassistant\na3",
                        "system\nS\nuser\nq4\nassistant\na4");
        assertThat(learned(parts)).isEqualTo(FORMAT.render(exchanges(5)).learnedTokens());
    }

    @Test
    void anExchangeThatIsTooLongByItselfIsCut() {
        int most = tokens(exchanges(1)) - 1;
        List<Example> parts = LongConversations.SPLIT.examples(exchanges(3), FORMAT, most);
        assertThat(parts)
                .hasSize(3)
                .allSatisfy(part -> assertThat(part.tokens()).hasSize(most));
    }
}
