package ai.epitome.compress.mix;

import java.util.Arrays;

/// Histories of hashed contexts. One look-up serves four bits: a *slot* has a checksum and the 15 nodes of a nibble's
/// binary tree, 16 bits each.
///
/// ```
/// slot (32 bytes)   checksum | node 1 | nodes 2-3 | nodes 4-7 | nodes 8-15      node 1: before the nibble's first bit
/// node (16 bits)    DecayingAverage level << 8 | BitHistory state
/// cache line        2 slots;  a context may lie in any of 4 slots, 2 neighbouring lines
/// ```
/// A context that is not found takes the slot whose first node has seen least.
final class SlotTable {
    static final int SLOT = 16;
    private static final int WAYS = 4;
    /// Shorts before the first slot. Large arrays start at a page and have 16 bytes of header: the first slot then
    /// begins 64 bytes after.
    private static final int PADDING = 24;
    private static final int SPREAD = 0x9E3779B1;

    private static final byte[] WORTHS = BitHistory.worths();

    private final short[] nodes;
    private final int bits;

    /// @param bits the table has `2^bits` slots, 4 at least
    SlotTable(int bits) {
        this.bits = bits;
        this.nodes = new short[PADDING + (SLOT << bits)];
    }

    static long bytes(int bits) {
        return 2L * SLOT << bits;
    }

    short[] nodes() {
        return nodes;
    }

    /// Index of the slot at which the search for a hash begins.
    int home(int hash) {
        return PADDING + ((hash * SPREAD >>> (32 - bits)) * SLOT);
    }

    /// Brings a line into the cache; what it returns must be used.
    int touch(int home) {
        return nodes[home];
    }

    /// Index of the context's slot, cleared if it is new.
    int find(int home, int hash) {
        short checksum = (short) (hash ^ hash >>> 16);
        if (nodes[home] == checksum) {
            return home;
        }
        int number = (home - PADDING) / SLOT;
        int least = Integer.MAX_VALUE;
        int victim = home;
        for (int way = 0; way < WAYS; way++) {
            int slot = PADDING + (number ^ way) * SLOT;
            if (nodes[slot] == checksum) {
                return slot;
            }
            int worth = WORTHS[nodes[slot + 1] & 0xff];
            if (worth < least) {
                least = worth;
                victim = slot;
            }
        }
        Arrays.fill(nodes, victim, victim + SLOT, (short) 0);
        nodes[victim] = checksum;
        return victim;
    }
}
