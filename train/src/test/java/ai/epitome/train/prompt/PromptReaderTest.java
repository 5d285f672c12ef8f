package ai.epitome.train.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptReaderTest {
    private static final ByteTokenizer TOKENIZER = new ByteTokenizer();

    private static List<Prompt> read(String json, int tokens, int most) throws IOException {
        Corpus corpus = Corpus.of("p.jsonl", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        ChatFormat chat = ChatFormat.of(ChatTemplates.NONE, TOKENIZER);
        return new PromptReader(TOKENIZER, chat, tokens).read(corpus, most);
    }

    @Test
    void promptsAreTextsOrBeginnings() throws IOException {
        List<Prompt> read = read("{'prompt': 'ab'}\n{'text': 'abcdef'}\n{'text': 'x'}", 3, 9);
        assertThat(read).hasSize(2).allMatch(Prompt::goesOn);
        assertThat(read.get(0).tokens()).containsExactly(256, 'a', 'b');
        assertThat(read.get(1).tokens()).containsExactly(256, 'a', 'b', 'c');
        assertThat(read.get(1).text()).isEqualTo("abc");
        assertThat(read("{'prompt': 'ab'}\n{'prompt': 'c'}", 3, 1)).hasSize(1);
    }

    @Test
    void conversationsEndWithWhatIsToBeAnswered() throws IOException {
        String turns =
                "[{'role': 'user', 'content': 'u'}, {'role': 'assistant', 'content': 'a'}, {'role': 'user', 'content': 'v'}%s]";
        String answered = turns.formatted(", {'role': 'assistant', 'content': 'b'}");
        List<Prompt> read = read("{'prompt': %s}\n{'messages': %s}".formatted(turns.formatted(""), answered), 3, 9);
        assertThat(read).hasSize(2).noneMatch(Prompt::goesOn);
        for (Prompt prompt : read) {
            assertThat(prompt.text()).isEqualTo("v");
            assertThat(prompt.messages().toString())
                    .isEqualTo(turns.formatted("")
                            .replace('\'', '"')
                            .replace(": ", ":")
                            .replace(", ", ","));
            assertThat(new String(TOKENIZER.decode(prompt.tokens()), StandardCharsets.UTF_8))
                    .endsWith("User: u\nAssistant: a\nUser: v\nAssistant:");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"answer\": 1} | p.jsonl, line 2: expected a `prompt`, `messages` or a `text`, found [answer]",
                "{\"prompt\": \"\"} | p.jsonl, line 2: `prompt` is empty",
                "{\"messages\": [{\"content\": \"a\"}]} | p.jsonl, line 2: turn 1 has no `role`",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]} | `messages` has nothing to answer"
            })
    void whatIsNoPromptIsToldWithItsLine(String json, String message) {
        assertThatThrownBy(() -> read("{'prompt': 'ab'}\n" + json, 3, 5))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining(message);
    }

    @Test
    void somePromptMustBeThere() {
        assertThatThrownBy(() -> read("{'text': 'ab'}", 3, 5)).hasMessageContaining("there is no prompt");
    }
}
