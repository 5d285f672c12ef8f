package ai.epitome.train.data;

import java.util.OptionalInt;

/// Stands in for ai.epitome.text.Tokenizer until that is there.
public interface Tokenizer {
    int vocabularySize();

    int[] encode(byte[] text);

    byte[] token(int id);

    OptionalInt endOfText();
}
