package ai.epitome.model.engine;

import ai.epitome.tensor.attention.CachedRows;
import java.util.Arrays;

/// A sequence of tokens, of which the first so many have been read: their keys and values are in blocks of a
/// [KeyValuePool]. Belongs to one thread.
final class CachedSequence {
    private final KeyValuePool pool;
    private final int capacity;
    private int[] tokens;
    private int length;
    private int read;
    private int[] blocks = new int[4];
    private int blockCount;
    /// Chain of the published blocks, which are the first of them; 0 where nothing is shared.
    private long chain;
    private long root;
    private int published;

    /// @param capacity tokens that it can hold
    CachedSequence(KeyValuePool pool, int capacity) {
        this.pool = pool;
        this.capacity = capacity;
        this.tokens = new int[Math.min(capacity, 64)];
    }

    int capacity() {
        return capacity;
    }

    /// Tokens of the sequence.
    int length() {
        return length;
    }

    /// Tokens that have been read.
    int read() {
        return read;
    }

    /// Tokens that are still to be read.
    int pending() {
        return length - read;
    }

    int token(int index) {
        return tokens[index];
    }

    /// The tokens themselves, of which the first [#length] count.
    int[] tokens() {
        return tokens;
    }

    /// Adds tokens at the end. Where they do not fit, the newest are kept and everything is to be read again:
    /// all of `further` as far as the capacity goes, and at least half a capacity in total. Keys hold the
    /// positions and the context that they were computed with: moving them would not give what the model computes.
    void append(int... further) {
        int total = length + further.length;
        if (total <= capacity) {
            if (total > tokens.length) {
                tokens = Arrays.copyOf(tokens, Math.min(capacity, Math.max(total, 2 * tokens.length)));
            }
            System.arraycopy(further, 0, tokens, length, further.length);
            length = total;
            return;
        }
        int[] all = Arrays.copyOf(tokens, total);
        System.arraycopy(further, 0, all, length, further.length);
        forget();
        length = Math.clamp(further.length, (capacity + 1) / 2, capacity);
        tokens = Arrays.copyOfRange(all, total - length, total);
    }

    /// Keeps the first `newLength` tokens only.
    ///
    /// @throws IllegalStateException when others may have found blocks of what is taken back
    void truncate(int newLength) {
        int kept = Math.min(read, newLength);
        if (published * KeyValuePool.BLOCK > kept) {
            throw new IllegalStateException("the first %d tokens are shared: %d cannot be kept alone"
                    .formatted(published * KeyValuePool.BLOCK, kept));
        }
        length = newLength;
        read = kept;
        while (blockCount > KeyValuePool.blocks(read)) {
            pool.release(blocks[--blockCount]);
        }
    }

    /// Gives back all blocks: everything is to be read again. The last go first, since those before them are found
    /// without them but not they without those.
    void forget() {
        while (blockCount > 0) {
            pool.release(blocks[--blockCount]);
        }
        read = 0;
        published = 0;
        chain = 0;
    }

    /// Begins to share blocks with other sequences that begin at the same root, if nothing has been read yet.
    void share(long root) {
        if (read == 0) {
            this.root = root;
            chain = root;
        }
    }

    /// Whether `other` is about to read the very block that comes next here, which can then be taken over.
    boolean follows(CachedSequence other) {
        int end = read + KeyValuePool.BLOCK;
        return chain != 0
                && other.chain != 0
                && root == other.root
                && read == published * KeyValuePool.BLOCK
                && end < length
                && end <= other.length
                && other.read < end
                && Arrays.equals(tokens, 0, end, other.tokens, 0, end);
    }

    /// Takes over what others have read of the same beginning, all but the last token: its logits are wanted.
    void reuse() {
        if (chain == 0 || read != published * KeyValuePool.BLOCK) {
            return;
        }
        while (read + KeyValuePool.BLOCK < length) {
            int block = pool.find(chain, tokens, read);
            if (block < 0) {
                return;
            }
            while (blockCount > published) { // taken for what need not be computed now
                pool.release(blocks[--blockCount]);
            }
            add(block);
            published++;
            read += KeyValuePool.BLOCK;
            chain = pool.chain(block);
        }
    }

    /// Blocks that are missing for reading `count` further tokens.
    int missing(int count) {
        return Math.max(0, KeyValuePool.blocks(read + count) - blockCount);
    }

    /// Takes the blocks for reading `count` further tokens.
    void reserve(int count) {
        for (int missing = missing(count); missing > 0; missing--) {
            add(pool.take());
        }
    }

    private void add(int block) {
        if (blockCount == blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * blockCount);
        }
        blocks[blockCount++] = block;
    }

    /// The next `count` tokens as rows of a pass, from row `row` on.
    CachedRows rows(int row, int count) {
        return new CachedRows(row, count, read, Arrays.copyOf(blocks, blockCount));
    }

    /// Counts `count` tokens that a pass has read.
    void advance(int count) {
        read += count;
    }

    /// Lets others find the blocks that are full.
    ///
    /// @param own whether to go on with own blocks where others have published the same: those may come from other
    /// chunks, with other last bits, and a text would depend on when blocks were full
    void publish(boolean own) {
        if (chain == 0) {
            return;
        }
        while ((published + 1) * KeyValuePool.BLOCK <= read) {
            int from = published * KeyValuePool.BLOCK;
            int same = own ? pool.find(chain, tokens, from) : -1;
            if (same >= 0) {
                chain = pool.chain(same);
                pool.release(same);
            } else {
                blocks[published] = pool.publish(chain, tokens, from, blocks[published]);
                chain = pool.chain(blocks[published]);
            }
            published++;
        }
    }
}
