package ai.epitome.compress;

/// A way to code blocks, ready to work: with its model, where it has one.
public interface Coding extends AutoCloseable {
    /// What an archive has to say of it, so that a reader can do the same.
    Method method();

    /// A hash of the integer frequencies of a fixed short run, 8 to 32 bytes. A machine or a version that computes
    /// another one would decode wrongly.
    byte[] probe();

    /// A codec that has seen nothing yet.
    BlockCodec newCodec();

    /// Bytes of the heap that a codec takes, about, where they are many: fewer of them are then at work at a time.
    default long memory() {
        return 0;
    }

    /// How many independent blocks it likes to code at a time.
    default int group() {
        return 1;
    }

    /// Whether it works on several threads by itself: then one group is coded at a time.
    default boolean usesThreads() {
        return false;
    }

    /// Codes independent blocks, [#group] at most.
    ///
    /// @param progress hears of these blocks alone, on the calling thread
    default byte[][] encode(byte[][] blocks, Progress progress) {
        byte[][] coded = new byte[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            coded[i] = newCodec().encode(blocks[i]);
        }
        return coded;
    }

    /// Reads independent blocks, [#group] at most, however they were grouped when they were coded.
    ///
    /// @param lengths of the blocks
    /// @param progress hears of these blocks alone, on the calling thread
    /// @throws MalformedCodeException when one of them can have no such code
    default byte[][] decode(byte[][] coded, int[] lengths, Progress progress) {
        byte[][] blocks = new byte[coded.length][];
        for (int i = 0; i < coded.length; i++) {
            blocks[i] = newCodec().decode(coded[i], lengths[i]);
        }
        return blocks;
    }

    @Override
    default void close() {}
}
