package ai.epitome.train.data;

import ai.epitome.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;

/// A whole text in tokens, as models learn to read it: behind the token that texts begin with.
public final class TextTokens {
    private TextTokens() {}

    /// The tokens of a text.
    public static int[] of(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encode(text.getBytes(StandardCharsets.UTF_8));
        OptionalInt first = beginning(tokenizer);
        if (first.isEmpty()) {
            return ids;
        }
        int[] all = new int[ids.length + 1];
        all[0] = first.getAsInt();
        System.arraycopy(ids, 0, all, 1, ids.length);
        return all;
    }

    /// A text and how it goes on, which is learned, as they stand: nothing is put behind them.
    public static Example continued(Tokenizer tokenizer, String text, String following) {
        int[] before = of(tokenizer, text);
        int[] after = continuation(tokenizer, text, following);
        int[] ids = Arrays.copyOf(before, before.length + after.length);
        System.arraycopy(after, 0, ids, before.length, after.length);
        boolean[] learned = new boolean[ids.length];
        Arrays.fill(learned, before.length, ids.length, true);
        return new Example(ids, learned);
    }

    /// The tokens of what follows a text.
    public static int[] continuation(Tokenizer tokenizer, String text, String following) {
        byte[] bytes = following.getBytes(StandardCharsets.UTF_8);
        return text.isEmpty() ? tokenizer.encode(bytes) : tokenizer.encodeContinuation(bytes);
    }

    /// The one that the tokenizer wants before every text, or else the end of the text before.
    public static OptionalInt beginning(Tokenizer tokenizer) {
        return tokenizer.beginOfText().isPresent() ? tokenizer.beginOfText() : tokenizer.endOfText();
    }
}
