package ai.epitome.train.chat;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Example;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// OpenAI's ChatML, which Qwen and many others speak:
///
/// ```
/// <|im_start|>user
/// What is 2 + 2?<|im_end|>
/// <|im_start|>assistant
/// 4<|im_end|>
/// ~~~~~~~~~~~  learned
/// ```
///
/// What people say is encoded as plain text, so that no turn can end itself by spelling a control token.
public final class ChatMl implements ChatFormat {
    private static final String START = "<|im_start|>";
    private static final String END = "<|im_end|>";
    private static final String TEMPLATE = """
            {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
            {%- endfor %}
            {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\\n' }}
            {%- endif %}
            """;

    private final Tokenizer tokenizer;
    private final int start;
    private final int end;
    private final int[] lineBreak;

    private ChatMl(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.start = tokenizer.specialTokens().get(START);
        this.end = tokenizer.specialTokens().get(END);
        this.lineBreak = tokenizer.encodeContinuation(bytes("\n"));
    }

    /// The format over a tokenizer, which gets the two control tokens behind its own where it lacks them.
    ///
    /// @throws IllegalArgumentException if it lacks them and cannot be extended
    public static ChatMl over(Tokenizer tokenizer) {
        List<String> names = List.of(START, END);
        if (tokenizer.specialTokens().keySet().containsAll(names)) {
            return new ChatMl(tokenizer);
        }
        return new ChatMl(
                switch (tokenizer) {
                    case BytePairTokenizer pairs -> pairs.withSpecialTokens(names);
                    case ByteTokenizer single -> single.withSpecialTokens(names);
                    default ->
                        throw new IllegalArgumentException(
                                "a %s tokenizer without %s and %s cannot be given them; begin with a model of another tokenizer"
                                        .formatted(tokenizer.kind(), START, END));
                });
    }

    @Override
    public Example render(Conversation conversation) {
        Tokens tokens = new Tokens();
        tokens.begin();
        List<Turn> turns = conversation.turns();
        int last = turns.size() - 1;
        while (last > 0 && !turns.get(last).learned()) {
            last--; // nobody learns from what comes after
        }
        for (int i = 0; i <= last; i++) {
            Turn turn = turns.get(i);
            tokens.open(turn.speaker());
            tokens.add(tokenizer.encodeContinuation(bytes(turn.text())), turn.learned());
            tokens.add(new int[] {end}, turn.learned());
            if (i < last) {
                tokens.add(lineBreak, false);
            }
        }
        return new Example(tokens.ids(), tokens.learned());
    }

    @Override
    public int[] prompt(List<Turn> turns) {
        Tokens tokens = new Tokens();
        tokens.begin();
        for (Turn turn : turns) {
            tokens.open(turn.speaker());
            tokens.add(tokenizer.encodeContinuation(bytes(turn.text())), false);
            tokens.add(new int[] {end}, false);
            tokens.add(lineBreak, false);
        }
        tokens.open(Speaker.ASSISTANT);
        return tokens.ids();
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public int endOfTurn() {
        return end;
    }

    @Override
    public String template() {
        return TEMPLATE;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// Tokens and their marks as they grow.
    private final class Tokens {
        private final List<int[]> parts = new ArrayList<>();
        private final List<Boolean> marks = new ArrayList<>();

        void begin() {
            tokenizer.beginOfText().ifPresent(token -> add(new int[] {token}, false));
        }

        void open(Speaker speaker) {
            add(new int[] {start}, false);
            add(tokenizer.encodeContinuation(bytes(speaker.role() + "\n")), false);
        }

        void add(int[] ids, boolean learned) {
            parts.add(ids);
            marks.add(learned);
        }

        int[] ids() {
            return parts.stream().flatMapToInt(Arrays::stream).toArray();
        }

        boolean[] learned() {
            boolean[] learned = new boolean[ids().length];
            int at = 0;
            for (int i = 0; i < parts.size(); i++) {
                Arrays.fill(learned, at, at + parts.get(i).length, marks.get(i));
                at += parts.get(i).length;
            }
            return learned;
        }
    }
}
