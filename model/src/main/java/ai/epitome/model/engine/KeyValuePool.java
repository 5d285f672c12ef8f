package ai.epitome.model.engine;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.attention.KeyValueMemory;
import java.lang.foreign.Arena;
import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// The blocks of keys and values of one model, and who uses them.
///
/// ```text
///            take                 publish                 release
///  unused ---------> written by -----------> read by one ---------> free, but still known:
///    ^               its sequence            or more                found again by `find`
///    |                   | release              ^                       |        |
///    +-------------------+                      +------ share ----------+        | taken for something
///    +---------------------------------------------------------------------------+ else, oldest first
/// ```
///
/// A block that is full is *published* under its tokens and the block before it: a chain that begins at a *root*
/// stands for exactly one beginning of a text. Chains are compared token by token, never by a hash alone, so no text
/// can be taken for another. A block whose predecessor was given away is not found any more and ages. A root stands
/// for an owner, an adapter and the state of the weights: what one owner has sent, no other one finds, and so cannot
/// tell from the time an answer takes that it was sent. Belongs to one thread.
final class KeyValuePool {
    /// Tokens of a block.
    static final int BLOCK = KeyValueMemory.BLOCK;

    /// A place in the tree of texts: the chain before a block, and the block's tokens.
    private record Place(long before, IntBuffer tokens) {}

    /// What a root stands for, with the weights as they are.
    private record Root(String owner, int adapter) {}

    private static final class Block {
        int users;
        /// Number of the chain that ends here; 0 where the block is not published.
        long chain;
        Place place;
    }

    private final KeyValueMemory memory;
    private final List<Block> blocks = new ArrayList<>(); // those that have ever been taken
    private final Deque<Integer> unused = new ArrayDeque<>();
    private final LinkedHashSet<Integer> known = new LinkedHashSet<>(); // free and published, oldest first
    private final Map<Place, Integer> published = new HashMap<>();
    private final Map<Root, Long> roots = new HashMap<>();
    private long rootWeights;
    private long lastChain;

    KeyValuePool(KeyValueMemory memory) {
        this.memory = memory;
    }

    /// Room for `capacity` blocks for a model.
    static KeyValuePool of(TransformerConfig config, KeyValueFormat format, Arena arena, int capacity) {
        return new KeyValuePool(new KeyValueMemory(
                arena, format, config.layers(), config.keyValueHeads(), config.headDimension(), capacity));
    }

    /// Bytes that a token of a model takes.
    static long tokenBytes(TransformerConfig config, KeyValueFormat format) {
        return KeyValueMemory.tokenBytes(format, config.layers(), config.keyValueHeads(), config.headDimension());
    }

    /// Blocks that `tokens` tokens take.
    static int blocks(int tokens) {
        return (tokens + BLOCK - 1) / BLOCK;
    }

    KeyValueMemory memory() {
        return memory;
    }

    int capacity() {
        return memory.capacity();
    }

    /// Blocks that can be taken.
    int available() {
        return memory.capacity() - blocks.size() + unused.size() + known.size();
    }

    /// Free blocks whose content can still be found.
    int known() {
        return known.size();
    }

    /// A block to write to, for one user.
    ///
    /// @throws IllegalStateException when none is [#available]
    int take() {
        int block;
        if (!unused.isEmpty()) {
            block = unused.pop();
        } else if (blocks.size() < memory.capacity()) {
            block = blocks.size();
            memory.reserve(block);
            blocks.add(new Block());
        } else if (!known.isEmpty()) {
            Iterator<Integer> oldest = known.iterator();
            block = oldest.next();
            oldest.remove();
            forget(block);
        } else {
            throw new IllegalStateException("all %d blocks are in use".formatted(memory.capacity()));
        }
        blocks.get(block).users = 1;
        return block;
    }

    private void forget(int number) {
        Block block = blocks.get(number);
        published.remove(block.place);
        block.place = null;
        block.chain = 0;
    }

    /// Forgets what free blocks hold; how many they were.
    int forgetFree() {
        int count = known.size();
        known.forEach(this::forget);
        unused.addAll(known);
        known.clear();
        return count;
    }

    /// One user less.
    void release(int number) {
        Block block = blocks.get(number);
        if (--block.users > 0) {
            return;
        }
        if (block.users < 0) {
            throw new IllegalStateException("block %d was released twice".formatted(number));
        }
        if (block.chain == 0) {
            unused.push(number);
        } else {
            known.add(number);
        }
    }

    /// The chain that all texts of this owner with this adapter (0 for none) begin with, while the model's weights have
    /// changed `weights` times.
    long root(String owner, int adapter, long weights) {
        if (weights != rootWeights) {
            roots.clear(); // what was computed before is never found again
            rootWeights = weights;
        }
        return roots.computeIfAbsent(new Root(owner, adapter), _ -> ++lastChain);
    }

    /// The block of the [#BLOCK] tokens from index `from` on, after the chain `before`; one user more. -1 when there
    /// is none.
    int find(long before, int[] tokens, int from) {
        Integer number = published.get(new Place(before, IntBuffer.wrap(tokens, from, BLOCK)));
        if (number == null) {
            return -1;
        }
        if (blocks.get(number).users++ == 0) {
            known.remove(number);
        }
        return number;
    }

    /// The chain that a published block ends.
    long chain(int block) {
        return blocks.get(block).chain;
    }

    /// Lets others find a block of these tokens, which is full and no longer written to. Returns the block to
    /// go on with: where the same has been published before, that one; the caller is then its user.
    int publish(long before, int[] tokens, int from, int number) {
        int same = find(before, tokens, from);
        if (same >= 0) {
            release(number);
            return same;
        }
        Block block = blocks.get(number);
        int[] own = Arrays.copyOfRange(tokens, from, from + BLOCK);
        block.place = new Place(before, IntBuffer.wrap(own));
        block.chain = ++lastChain;
        published.put(block.place, number);
        return number;
    }
}
