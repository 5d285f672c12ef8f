package ai.epitome.compress;

/// Codes blocks that follow each other, and learns from each for the next. The same calls with the same blocks give the
/// same codes on every machine.
public interface BlockCodec {
    /// Codes the next block.
    byte[] encode(byte[] plain);

    /// Reads the next block, of `length` bytes. What the bytes mean is checked by the caller: wrong ones may come out
    /// as wrong ones.
    ///
    /// @throws MalformedCodeException when no block can have such a code
    byte[] decode(byte[] coded, int length);

    /// Learns from the next block, which is at hand uncoded, as [#encode] and [#decode] do.
    void learn(byte[] plain);
}
