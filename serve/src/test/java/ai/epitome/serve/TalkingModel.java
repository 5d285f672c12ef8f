package ai.epitome.serve;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Gives the answers that it was told to give, one after the other and round again, a word and its space a token.
final class TalkingModel implements CompletionModel {
    private static final Pattern WORD = Pattern.compile("\\s*\\S{1,8}|\\s+$");

    private final String id;
    private final List<String> answers;
    private final int contextLength;
    private final AtomicInteger given = new AtomicInteger();
    /// What it was asked last.
    volatile String prompt = "";
    /// Between tokens.
    volatile long milliseconds;
    /// No more tokens than this of each answer, until it is raised.
    volatile int allowed = Integer.MAX_VALUE;

    TalkingModel(String id, int contextLength, List<String> answers) {
        this.id = id;
        this.contextLength = contextLength;
        this.answers = List.copyOf(answers);
    }

    /// Its own template.
    static ChatFormat format() {
        String template = "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}"
                + "assistant: ";
        return ChatFormat.of(new ChatTemplates(Map.of(ChatTemplates.DEFAULT, template), Map.of()), new ByteTokenizer());
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public int vocabularySize() {
        return 256;
    }

    @Override
    public int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xFF;
        }
        return ids;
    }

    @Override
    public byte[] bytes(int token) {
        return new byte[] {(byte) token};
    }

    private String decode(int[] ids) {
        byte[] bytes = new byte[ids.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ids[i];
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public GenerationResult generate(
            GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled) {
        prompt = decode(request.prompt());
        String answer = answers.get(given.getAndIncrement() % answers.size());
        List<String> words =
                WORD.matcher(answer).results().map(MatchResult::group).toList();
        StringBuilder text = new StringBuilder();
        int tokens = 0;
        FinishReason finish = FinishReason.STOP;
        for (String word : words) {
            if (tokens == request.maxTokens()) {
                finish = FinishReason.LENGTH;
                break;
            }
            pause(tokens, cancelled);
            if (cancelled.getAsBoolean()) {
                finish = FinishReason.CANCELLED;
                break;
            }
            tokens++;
            text.append(word);
            listener.accept(new GenerationPiece(word, List.of(new ScoredToken(32, bytes(32), -1f, List.of()))));
        }
        return new GenerationResult(text.toString(), finish, request.prompt().length, tokens);
    }

    private void pause(int tokens, BooleanSupplier cancelled) {
        try {
            Thread.sleep(milliseconds);
            while (tokens >= allowed && !cancelled.getAsBoolean()) {
                Thread.sleep(2);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public List<ScoredToken> score(int[] ids, int top) {
        throw new UnsupportedOperationException("it only talks");
    }

    @Override
    public float[] embed(int[] ids) {
        throw new UnsupportedOperationException("nothing is embedded here");
    }
}
