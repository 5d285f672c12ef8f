package ai.epitome.text.split;

/// One splitter after another: the second cuts the pieces of the first.
record SequenceSplitter(Splitter first, Splitter second) implements Splitter {

    @Override
    public void split(byte[] text, int from, int to, PieceSink sink) {
        first.split(text, from, to, (piece, start, end) -> second.split(piece, start, end, sink));
    }
}
