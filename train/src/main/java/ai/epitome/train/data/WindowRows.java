package ai.epitome.train.data;

import java.util.Arrays;

/// Contiguous windows. N tokens make N - 1 pairs of an input and the token after it. In each epoch the pairs
/// form a ring that is cut at a pseudo-random place below T and then every T pairs; the last window takes what
/// remains, and is filled up with inputs that have no target. So every pair is in exactly one window of every
/// epoch.
record WindowRows(TokenShards shards, long seed, int length, long pairs) implements BatchStream.Rows {

    static WindowRows of(TokenShards shards, long seed, int length) throws CorpusException {
        if (shards.tokens() <= length) {
            throw new CorpusException(
                    "the training text has %,d tokens, but one row of the context length %,d needs %,d; give more text or a shorter context"
                            .formatted(shards.tokens(), length, length + 1));
        }
        return new WindowRows(shards, seed, length, shards.tokens() - 1);
    }

    @Override
    public long count() {
        return (pairs + length - 1) / length;
    }

    @Override
    public boolean hasSegments() {
        return false;
    }

    @Override
    public void fill(long epoch, long row, int[] inputs, int[] targets, int[] starts, int offset) {
        int covered = (int) Math.min(length, pairs - row * length);
        long first = (cut(epoch) + row * length) % pairs;
        int beforeEnd = (int) Math.min(length, pairs - first);
        shards.read(first, beforeEnd, inputs, offset);
        shards.read(first + 1, beforeEnd, targets, offset);
        // At most once around: there are at least T pairs.
        shards.read(0, length - beforeEnd, inputs, offset + beforeEnd);
        shards.read(1, length - beforeEnd, targets, offset + beforeEnd);
        Arrays.fill(targets, offset + covered, offset + length, Batch.NO_TARGET);
    }

    private long cut(long epoch) {
        return Long.remainderUnsigned(Permutation.mix(Permutation.mix(seed) + epoch), length);
    }
}
