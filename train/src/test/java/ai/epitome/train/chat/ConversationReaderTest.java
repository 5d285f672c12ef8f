package ai.epitome.train.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversationReaderTest {
    @TempDir
    Path folder;

    private static final List<Turn> GREETING =
            List.of(new Turn(Speaker.USER, "Hi"), new Turn(Speaker.ASSISTANT, "Hello!"));

    private static List<TrainingConversation> read(Corpus corpus) throws IOException {
        List<TrainingConversation> all = new ArrayList<>();
        try (RecordReader reader = corpus.openRecords()) {
            for (JsonRecord next = reader.next(); next != null; next = reader.next()) {
                all.add(ConversationReader.read(next));
            }
        }
        return all;
    }

    private static List<TrainingConversation> read(String text) throws IOException {
        return read(Corpus.of("chats.jsonl", text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void layoutsAreToldByTheirFields() throws IOException {
        List<TrainingConversation> all = read("""
                {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}

                {"id": 7, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}
                {"instruction": "Hi", "input": "", "output": "Hello!"}
                {"instruction": "Hi", "output": "Hello!"}
                """);
        assertThat(all).hasSize(4).allSatisfy(one -> assertThat(one.turns()).isEqualTo(GREETING));
    }

    @Test
    void alpacasInputFollowsTheInstruction() throws IOException {
        assertThat(read("{\"instruction\": \"Add.\", \"input\": \"2, 3\", \"output\": \"5\"}")
                        .getFirst()
                        .turns())
                .containsExactly(new Turn(Speaker.USER, "Add.\n\n2, 3"), new Turn(Speaker.ASSISTANT, "5"));
    }

    @Test
    void openAisPartsAreJoinedAndItsWeightSaysWhatIsLearned() throws IOException {
        TrainingConversation one = read("{\"messages\": [{\"role\": \"developer\", \"content\": \"Be brief.\"},"
                        + "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"a\"},"
                        + "{\"type\": \"text\", \"text\": \"b\"}]},"
                        + "{\"role\": \"assistant\", \"content\": \"no\", \"weight\": 0},"
                        + "{\"role\": \"user\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": \"yes\"}]}")
                .getFirst();
        assertThat(one.turns())
                .containsExactly(
                        new Turn(Speaker.SYSTEM, "Be brief."),
                        new Turn(Speaker.USER, "ab"),
                        new Turn(Speaker.ASSISTANT, "no", false),
                        new Turn(Speaker.USER, "c"),
                        new Turn(Speaker.ASSISTANT, "yes"));
    }

    @Test
    void oneArrayInAPackedFileIsReadToo() throws IOException {
        String json = "\n [\n  {\"instruction\": \"Hi\",\n   \"output\": \"Hello!\"},\n"
                + "  {\"instruction\": \"Hi\", \"output\": \"\"}\n]\n";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream packed = new GZIPOutputStream(bytes)) {
            packed.write(json.getBytes(StandardCharsets.UTF_8));
        }
        Path file = Files.write(folder.resolve("some.json.gz"), bytes.toByteArray());
        assertThatThrownBy(() -> read(Corpus.of(List.of(file))))
                .isInstanceOf(CorpusException.class)
                .hasMessage(file + ", line 5: the answer is empty: its `output` holds no text");
        try (RecordReader reader = Corpus.of(List.of(file)).openRecords()) {
            assertThat(ConversationReader.read(reader.next()).turns()).isEqualTo(GREETING);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{\"messages\": [{\"content\": \"Hi\"}]} | turn 1 has no `role`",
                "{\"messages\": [{\"role\": 3, \"content\": \"Hi\"}]} | turn 1: `role` must be a string, found `3`",
                "{\"messages\": [{\"role\": \"tool\", \"content\": \"Hi\"}]} | turn 1 has the unknown role `\"tool\"`; known",
                "{\"messages\": [{\"role\": \"user\", \"content\": \" \\n\"}]} | turn 1 is empty: its `content` holds no",
                "{\"messages\": [{\"role\": \"user\"}]} | turn 1 is empty: its `content` is missing",
                "{\"messages\": [{\"role\": \"user\", \"content\": 5}]} | turn 1: `content` must be a string, found `5`",
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"image\": 1}]}]} | turn 1 has a part that is no text",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]} | no turn of the assistant",
                "{\"messages\": []} | `messages` must be a list of turns, found `[]`",
                "{\"conversations\": \"x\"} | `conversations` must be a list of turns, found `\"x\"`",
                "{\"conversations\": [{\"from\": \"gpt\", \"value\": \"a\"}, {\"from\": \"system\", \"value\": \"b\"}]} | turn 2 is the system's",
                "{\"instruction\": \"a\", \"input\": 3, \"output\": \"b\"} | the input: `input` must be a string",
                "{\"text\": \"a\"} | expected a field `messages` (OpenAI), `conversations` (ShareGPT) or `instruction`",
                "{\"messages\" | not valid JSON",
                "3 | expected a JSON object, found NUMBER"
            })
    void whatIsWrongIsSaidWithFileAndLine(String line, String message) {
        String good = "{\"instruction\": \"Hi\", \"output\": \"Hello!\"}\n\n";
        assertThatThrownBy(() -> read(good + line.strip() + "\n"))
                .isInstanceOf(CorpusException.class)
                .hasMessageStartingWith("chats.jsonl, line 3: ")
                .hasMessageContaining(message.strip());
    }
}
