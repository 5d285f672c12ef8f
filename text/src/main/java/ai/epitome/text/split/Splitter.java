package ai.epitome.text.split;

/// Cuts text into the pieces within which byte pairs are merged. Pieces follow one another without gaps: joined they
/// are the text.
public sealed interface Splitter
        permits Gpt2Splitter, Gpt4Splitter, Gpt4oSplitter, RegexSplitter, SequenceSplitter, WholeText {

    /// Hands the pieces of `text[from, to)` to the sink, in order. What lies outside the range is not looked at.
    void split(byte[] text, int from, int to, PieceSink sink);
}
