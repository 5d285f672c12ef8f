package ai.epitome.train.chat;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import java.util.List;

/// How turns are marked.
public enum ChatStyle {
    /// OpenAI's ChatML, which Qwen and many others speak, with control tokens that nobody can spell:
    ///
    /// ```
    /// <|im_start|>user
    /// What is 2 + 2?<|im_end|>
    /// <|im_start|>assistant
    /// 4<|im_end|>
    /// ~~~~~~~~~~~  learned
    /// ```
    ///
    /// A tokenizer that lacks the two control tokens gets them behind its own.
    CHATML {
        @Override
        public ChatEncoding over(Tokenizer tokenizer) {
            Tokenizer extended = withControlTokens(tokenizer);
            return new TurnFormat(
                    extended,
                    new TurnFormat.Marks(
                            START + "%s\n", extended.specialTokens().get(END), END, "\n", CHATML_TEMPLATE));
        }
    },
    /// Names in plain text, and the token that ends texts: for models that cannot be given other tokens. A user can
    /// spell the marks.
    ///
    /// ```
    /// user:
    /// What is 2 + 2?
    ///
    /// assistant:
    /// 4<|endoftext|>
    /// ~~~~~~~~~~~~~~  learned
    /// ```
    PLAIN {
        @Override
        public ChatEncoding over(Tokenizer tokenizer) {
            int end = tokenizer
                    .endOfText()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "the tokenizer has no token that ends texts, so nothing can end an answer"));
            return new TurnFormat(
                    tokenizer, new TurnFormat.Marks("%s:\n", end, "", "\n\n", plainTemplate(tokenizer, end)));
        }
    };

    private static final String START = "<|im_start|>";
    private static final String END = "<|im_end|>";
    private static final String CHATML_TEMPLATE = """
            {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
            {%- endfor %}
            {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\\n' }}
            {%- endif %}
            """;

    /// The format with a tokenizer's tokens.
    ///
    /// @throws IllegalArgumentException if the tokenizer lacks a token that it needs and cannot be given it
    public abstract ChatEncoding over(Tokenizer tokenizer);

    /// Whether a tokenizer has ChatML's control tokens.
    private static boolean speaksChatMl(Tokenizer tokenizer) {
        return tokenizer.specialTokens().keySet().containsAll(List.of(START, END));
    }

    /// ChatML where a tokenizer has its control tokens, or else the plain style, which asks for none.
    public static ChatStyle spokenBy(Tokenizer tokenizer) {
        return speaksChatMl(tokenizer) ? CHATML : PLAIN;
    }

    private static Tokenizer withControlTokens(Tokenizer tokenizer) {
        if (speaksChatMl(tokenizer)) {
            return tokenizer;
        }
        List<String> names = List.of(START, END);
        return switch (tokenizer) {
            case BytePairTokenizer pairs -> pairs.withSpecialTokens(names);
            case ByteTokenizer single -> single.withSpecialTokens(names);
            default ->
                throw new IllegalArgumentException(
                        "a %s tokenizer without %s and %s cannot be given them; choose the plain style"
                                .formatted(tokenizer.kind(), START, END));
        };
    }

    private static String plainTemplate(Tokenizer tokenizer, int end) {
        String name = tokenizer.specialTokens().entrySet().stream()
                .filter(entry -> entry.getValue() == end)
                .findFirst()
                .orElseThrow()
                .getKey();
        return """
                {%%- for message in messages %%}
                {{- message['role'] + ':\\n' + message['content'] }}
                {{- '%s' if message['role'] == 'assistant' else '' }}
                {{- '\\n\\n' }}
                {%%- endfor %%}
                {%%- if add_generation_prompt %%}
                {{- 'assistant:\\n' }}
                {%%- endif %%}
                """.formatted(name);
    }
}
