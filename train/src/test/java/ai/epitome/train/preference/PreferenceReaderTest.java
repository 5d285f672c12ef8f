package ai.epitome.train.preference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.JsonRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class PreferenceReaderTest {
    private static final Turn ASKED = new Turn(Speaker.USER, "Hi?");

    private static Preference read(String json) throws CorpusException {
        return PreferenceReader.read(new JsonRecord("pairs.jsonl", 7, new JsonMapper().readTree(json)));
    }

    @Test
    void textsStayTexts() throws IOException {
        assertThat(read("{\"prompt\": \"It was\", \"chosen\": \" good.\", \"rejected\": \" bad.\", \"id\": 3}"))
                .isEqualTo(new Preference.OfTexts("It was", " good.", " bad."));
    }

    @Test
    void transcriptsShareWhatIsEqual() throws IOException {
        Preference read = read("{\"chosen\": \"\\n\\nHuman: Hi?\\n\\nAssistant: Yes.\\n\\nand more\","
                + " \"rejected\": \"\\n\\nHuman: Hi?\\n\\nAssistant: No.\"}");
        assertThat(read)
                .isEqualTo(new Preference.OfTurns(
                        List.of(ASKED),
                        List.of(new Turn(Speaker.ASSISTANT, "Yes.\n\nand more")),
                        List.of(new Turn(Speaker.ASSISTANT, "No."))));
    }

    /// The layout of OpenAI's fine-tuning jobs.
    @Test
    void readsOpenAisLayout() throws IOException {
        Preference read = read("""
                {"input": {"messages": [{"role": "user", "content": "Hi?"}], "tools": []},
                 "preferred_output": [{"role": "assistant", "content": "Yes."}],
                 "non_preferred_output": [{"role": "assistant", "content": "No."}]}""");
        assertThat(read)
                .isEqualTo(new Preference.OfTurns(
                        List.of(ASKED),
                        List.of(new Turn(Speaker.ASSISTANT, "Yes.")),
                        List.of(new Turn(Speaker.ASSISTANT, "No."))));
        assertThatThrownBy(() -> read("{\"input\": {\"messages\": []}, \"preferred_output\": []}"))
                .hasMessage("pairs.jsonl, line 7: `non_preferred_output` must be a list of messages");
        assertThatThrownBy(() -> read("{\"preferred_output\": [], \"non_preferred_output\": []}"))
                .hasMessage("pairs.jsonl, line 7: has no `input` with a list of `messages`");
    }

    /// A file of its own to measure on: all of the other one is learned from.
    @Test
    void aSetIsMeasuredByAnother() throws IOException {
        PreferenceSet set = set(40, "a");
        PreferenceSet other = set(10, "b");
        PreferenceSet both = set.measuredBy(other);
        assertThat(both.train()).hasSize(40);
        assertThat(both.heldOut()).hasSize(10);
        assertThat(both.sha256()).isNotEqualTo(set.sha256());
        assertThat(both.description()).isEqualTo("50 pairs, 10 of them held out");
    }

    private static PreferenceSet set(int count, String word) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            lines.append("{\"prompt\": \"%d\", \"chosen\": \"%s\", \"rejected\": \"no\"}\n".formatted(i, word));
        }
        ByteTokenizer tokenizer = new ByteTokenizer();
        PreferenceFormat format = new PreferenceFormat(ChatStyle.PLAIN.over(tokenizer), LongConversations.DROP, 32);
        byte[] text = lines.toString().getBytes(StandardCharsets.UTF_8);
        return PreferenceSet.read(Corpus.of("pairs.jsonl", text), format, false);
    }

    /// What `epitome feedback export` writes: lists of messages, of which a prompt may begin with the system's.
    @Test
    void readsWhatTheChatPageExports() throws IOException {
        Preference read = read("""
                {"prompt":[{"role":"system","content":"S"},{"role":"user","content":"Hi?"}],
                 "chosen":[{"role":"assistant","content":"Yes."}],
                 "rejected":[{"role":"assistant","content":"No."}],"note":"clearer"}""");
        assertThat(read)
                .isEqualTo(new Preference.OfTurns(
                        List.of(new Turn(Speaker.SYSTEM, "S"), ASKED),
                        List.of(new Turn(Speaker.ASSISTANT, "Yes.")),
                        List.of(new Turn(Speaker.ASSISTANT, "No."))));
        assertThat(read("{\"prompt\":\"Once \",\"chosen\":\"upon\",\"rejected\":\"more\"}"))
                .isEqualTo(new Preference.OfTexts("Once ", "upon", "more"));
    }

    /// The prompt is turns or a string, and the answers are turns, or strings, or hold the prompt themselves.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            'prompt': [{'role': 'user', 'content': 'Hi?'}], | 'Yes.' | 'No.'
            'prompt': [{'role': 'user', 'content': 'Hi?'}], | [{'role': 'assistant', 'content': 'Yes.'}] | 'No.'
            'prompt': 'Hi?', | [{'role': 'assistant', 'content': 'Yes.'}] | [{'role': 'assistant', 'content': 'No.'}]
            '' | [{'role':'user','content':'Hi?'},{'role':'assistant','content':'Yes.'}] | [{'role':'user','content':'Hi?'},{'role':'assistant','content':'No.'}]
            """, quoteCharacter = '§')
    void turnsInEachLayout(String prompt, String chosen, String rejected) throws IOException {
        String head = prompt.equals("''") ? "" : prompt;
        String json = "{%s 'chosen': %s, 'rejected': %s}"
                .formatted(head, chosen, rejected)
                .replace('\'', '"');
        assertThat(read(json))
                .isEqualTo(new Preference.OfTurns(
                        List.of(ASKED),
                        List.of(new Turn(Speaker.ASSISTANT, "Yes.")),
                        List.of(new Turn(Speaker.ASSISTANT, "No."))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            {'prompt': 'a', 'chosen': 'b'} | has no `rejected`
            {'prompt': 'a', 'chosen': 'b', 'rejected': 'b'} | `chosen` and `rejected` are equal
            {'prompt': 'a', 'chosen': 'b', 'rejected': ' '} | `rejected` is empty
            {'prompt': [{'content': 'a'}], 'chosen': 'b', 'rejected': 'c'} | turn 1 of `prompt` has no `role`
            {'prompt': [{'role': 'usr', 'content': 'a'}], 'chosen': 'b', 'rejected': 'c'} | unknown role `"usr"`
            {'prompt': [{'role': 'user', 'content': ''}], 'chosen': 'b', 'rejected': 'c'} | turn 1 of `prompt` is empty
            {'prompt': 'a', 'chosen': [{'role': 'user', 'content': 'b'}], 'rejected': 'c'} | the last turn of `chosen` is the user's
            {'chosen': 'b', 'rejected': 'c'} | `chosen` begins with neither
            {'chosen': 3, 'rejected': 'c'} | `chosen` must be a list of turns, found `3`
            {'chosen': '\\n\\nHuman: a\\n\\nAssistant:', 'rejected': '\\n\\nHuman: a\\n\\nAssistant: b'} | turn 2 of `chosen` is empty
            {'prompt': [{'role':'user','content':'a'},{'role':'system','content':'s'}], 'chosen': 'b', 'rejected': 'c'} | turn 2 is the system's
            """)
    void whatIsWrongIsSaidWithItsPlace(String json, String expected) {
        assertThatThrownBy(() -> read(json.replace("user's", "user`s").replace('\'', '"')))
                .isInstanceOf(CorpusException.class)
                .hasMessageStartingWith("pairs.jsonl, line 7: ")
                .hasMessageContaining(expected);
    }

    private static PreferenceFormat format(LongConversations policy, int most) {
        return new PreferenceFormat(ChatStyle.PLAIN.over(new ByteTokenizer()), policy, most);
    }

    private static String text(Example example) {
        return new String(new ByteTokenizer().decode(example.tokens()), StandardCharsets.UTF_8);
    }

    @Test
    void onlyAnswersAreLearned() {
        PreferencePair pair = format(LongConversations.DROP, 100)
                .render(new Preference.OfTexts("abc", "de", "f"))
                .pair()
                .orElseThrow();
        assertThat(pair.chosen().tokens()).containsExactly(256, 'a', 'b', 'c', 'd', 'e');
        assertThat(pair.chosen().learned()).containsExactly(false, false, false, false, true, true);
        assertThat(pair.rejected().learnedTokens()).isEqualTo(1);
        assertThat(pair.context()).containsExactly(256, 'a', 'b', 'c');
    }

    @Test
    void whatBecomesOfLongPairs() {
        Preference long1 = new Preference.OfTexts("abcdefgh", "xy", "z");
        assertThat(format(LongConversations.DROP, 8).render(long1).pair()).isEmpty();
        assertThat(format(LongConversations.CUT, 8).render(long1).pair()).isEmpty(); // nothing of the answers is left
        PreferencePair cut =
                format(LongConversations.CUT, 10).render(long1).pair().orElseThrow();
        assertThat(text(cut.chosen())).endsWith("abcdefghx");
        PreferencePair end =
                format(LongConversations.SPLIT, 8).render(long1).pair().orElseThrow();
        assertThat(end.chosen().tokens()).containsExactly(256, 'd', 'e', 'f', 'g', 'h', 'x', 'y');
        assertThat(text(end.rejected())).endsWith("defghz");
    }

    @Test
    void theOldestExchangesGoFirst() {
        Turn system = new Turn(Speaker.SYSTEM, "Be kind.");
        List<Turn> context = List.of(
                system,
                new Turn(Speaker.USER, "first question, rather long"),
                new Turn(Speaker.ASSISTANT, "first answer", false),
                new Turn(Speaker.USER, "second"));
        Preference pair = new Preference.OfTurns(
                context, List.of(new Turn(Speaker.ASSISTANT, "good")), List.of(new Turn(Speaker.ASSISTANT, "bad")));
        PreferencePair kept =
                format(LongConversations.SPLIT, 70).render(pair).pair().orElseThrow();
        assertThat(text(kept.chosen())).contains("Be kind.", "second", "good").doesNotContain("first");
    }

    @Test
    void pairsOfOneRequestAreOnTheSameSide() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            lines.append(
                    "{\"prompt\": \"request %d\", \"chosen\": \"a%d\", \"rejected\": \"b\"}\n".formatted(i / 4, i));
        }
        lines.append("{\"prompt\": \"request\", \"chosen\": \"same\", \"rejected\": \"same\"}\n");
        Corpus corpus = Corpus.of("pairs.jsonl", lines.toString().getBytes(StandardCharsets.UTF_8));
        PreferenceFormat format = format(LongConversations.DROP, 60);
        assertThatThrownBy(() -> PreferenceSet.read(corpus, format, false))
                .hasMessageContaining("pairs.jsonl, line 201: ");
        PreferenceSet set = PreferenceSet.read(corpus, format, true);
        assertThat(set.description())
                .startsWith(
                        "200 pairs, 12 of them held out; 1 records are no pairs and were passed over, the first: pairs.jsonl, line 201");
        List<String> trained = set.train().stream()
                .map(pair -> java.util.Arrays.toString(pair.context()))
                .toList();
        assertThat(set.heldOut())
                .hasSize(12)
                .allSatisfy(pair -> assertThat(trained).doesNotContain(java.util.Arrays.toString(pair.context())));
    }

    /// Four of its 2,312 pairs have an empty turn.
    @Test
    void readsAnthropicsFile() throws IOException {
        Path file = Path.of(System.getProperty("epitome.shared", "../../shared"))
                .resolve("data/align/hh-rlhf/harmless-base_test.jsonl.gz");
        assumeThat(Files.exists(file)).as("there is no %s", file).isTrue();
        PreferenceFormat format = format(LongConversations.SPLIT, 1024);
        assertThatThrownBy(() -> PreferenceSet.read(Corpus.of(List.of(file)), format, false))
                .hasMessageContaining("line 87: turn ");
        PreferenceSet set = PreferenceSet.read(Corpus.of(List.of(file)), format, true);
        assertThat(set.counts().wrong()).isEqualTo(4);
        assertThat(set.counts().pairs()).isEqualTo(2308);
        assertThat(set.train().size() + set.heldOut().size())
                .isEqualTo(2308 - (int) set.counts().lost());
    }
}
