package ai.epitome.text.split;

/// Does not split.
record WholeText() implements Splitter {

    @Override
    public void split(byte[] text, int from, int to, PieceSink sink) {
        if (from < to) {
            sink.piece(text, from, to);
        }
    }
}
