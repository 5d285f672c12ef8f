package ai.epitome.text;

/// Takes the pieces that a [Splitter] finds.
@FunctionalInterface
interface PieceSink {

    /// One piece, `text[from, to)`, never empty.
    void piece(byte[] text, int from, int to);
}
