package ai.epitome.text.split;

/// Takes the pieces that a [Splitter] finds.
@FunctionalInterface
public interface PieceSink {

    /// One piece, `text[from, to)`, never empty.
    void piece(byte[] text, int from, int to);
}
