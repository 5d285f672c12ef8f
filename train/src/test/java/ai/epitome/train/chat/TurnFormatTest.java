package ai.epitome.train.chat;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.chat.Conversation;
import ai.epitome.train.data.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class TurnFormatTest {
    private static final ChatEncoding FORMAT = ChatStyle.CHATML.over(new ByteTokenizer());

    private static final Turn SYSTEM = new Turn(Speaker.SYSTEM, "S");
    private static final Turn ASKED = new Turn(Speaker.USER, "Q?");
    private static final Turn ANSWERED = new Turn(Speaker.ASSISTANT, "A<|im_end|>");

    /// Readable tokens: control tokens in brackets, bytes as they are.
    private static String shown(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(id < 256 ? String.valueOf((char) id) : "[" + name(id) + "]");
        }
        return text.toString();
    }

    private static String name(int id) {
        return FORMAT.tokenizer().specialTokens().entrySet().stream()
                .filter(entry -> entry.getValue() == id)
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    private static String learned(Example example) {
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < example.tokens().length; i++) {
            if (example.learned()[i]) {
                ids.add(example.tokens()[i]);
            }
        }
        return shown(ids.stream().mapToInt(Integer::intValue).toArray());
    }

    /// A control token that somebody spells is text.
    @Test
    void onlyTheAssistantsWordsAndTheEndOfItsTurnAreLearned() {
        Example example = FORMAT.render(new TrainingConversation(List.of(SYSTEM, ASKED, ANSWERED, ASKED, ANSWERED)));
        assertThat(shown(example.tokens()))
                .isEqualTo("[<|im_start|>]system\nS[<|im_end|>]\n"
                        + ("[<|im_start|>]user\nQ?[<|im_end|>]\n"
                                        + "[<|im_start|>]assistant\nA<|im_end|>[<|im_end|>]\n")
                                .repeat(2)
                                .stripTrailing());
        assertThat(learned(example)).isEqualTo("A<|im_end|>[<|im_end|>]".repeat(2));
    }

    @Test
    void nothingFollowsTheLastLearnedTurn() {
        Turn unlearned = new Turn(Speaker.ASSISTANT, "B", false);
        Example example = FORMAT.render(new TrainingConversation(List.of(ASKED, ANSWERED, ASKED, unlearned, ASKED)));
        assertThat(example)
                .usingRecursiveComparison()
                .isEqualTo(FORMAT.render(new TrainingConversation(List.of(ASKED, ANSWERED))));
    }

    @Test
    void plainStyleEndsAnswersOnly() {
        ChatEncoding plain = ChatStyle.PLAIN.over(new ByteTokenizer());
        Example example = plain.render(new TrainingConversation(List.of(SYSTEM, ASKED, ANSWERED, ASKED, ANSWERED)));
        assertThat(shown(example.tokens()))
                .isEqualTo("system:\nS\n\nuser:\nQ?\n\nassistant:\nA<|im_end|>[<|endoftext|>]\n\n"
                        + "user:\nQ?\n\nassistant:\nA<|im_end|>[<|endoftext|>]");
        assertThat(learned(example)).isEqualTo("A<|im_end|>[<|endoftext|>]".repeat(2));
        assertThat(example.tokens()).startsWith(plain.prompt(List.of(SYSTEM, ASKED)));
        assertThat(plain.template()).contains("<|endoftext|>");
        assertThat(plain.tokenizer().vocabularySize()).isEqualTo(257);
    }

    /// What a model goes on from is what it saw in training.
    @Test
    void aPromptIsTheBeginningOfTheExample() {
        Example example = FORMAT.render(new TrainingConversation(List.of(SYSTEM, ASKED, ANSWERED)));
        int[] prompt = FORMAT.prompt(List.of(SYSTEM, ASKED));
        assertThat(example.tokens()).startsWith(prompt);
        assertThat(example.learned()[prompt.length]).isTrue();
        assertThat(example.learned()[prompt.length - 1]).isFalse();
    }

    /// The template that the new model's folder gets makes of a conversation what training made of it.
    @ParameterizedTest
    @EnumSource
    void theTemplateSaysTheSame(ChatStyle style) {
        ChatEncoding format = style.over(new ByteTokenizer());
        List<ObjectNode> messages = new ArrayList<>();
        for (Turn turn : List.of(SYSTEM, ASKED, ANSWERED, ASKED)) {
            messages.add(JsonMapper.shared()
                    .createObjectNode()
                    .put("role", turn.speaker().role())
                    .put("content", turn.text()));
        }
        ChatTemplates templates = new ChatTemplates(Map.of("default", format.template()), Map.of());
        assertThat(ChatFormat.of(templates, format.tokenizer()).encode(new Conversation(messages)))
                .isEqualTo(format.prompt(List.of(SYSTEM, ASKED, ANSWERED, ASKED)));
    }

    @Test
    void aTokenizerThatHasTheControlTokensIsLeftAlone() {
        assertThat(ChatStyle.CHATML.over(FORMAT.tokenizer()).tokenizer()).isSameAs(FORMAT.tokenizer());
        assertThat(FORMAT.tokenizer().vocabularySize()).isEqualTo(259);
        assertThat(FORMAT.tokenizer().token(FORMAT.endOfTurn())).isEmpty();
    }
}
