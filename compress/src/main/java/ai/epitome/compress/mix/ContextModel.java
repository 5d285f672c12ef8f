package ai.epitome.compress.mix;

/// All hashed contexts: finds their histories, turns them into the mixer's inputs, brings them up to date.
///
/// A context gives three inputs: the stretched probability of its [BitHistory], that of its [DecayingAverage], and the
/// first probability once more as a straight line, which weighs certainty differently. A context without a history
/// gives zeros.
final class ContextModel {
    static final int INPUTS_PER_CONTEXT = 3;
    private static final int LIMIT = 1023;
    private static final int LEVEL_LIMIT = 1023;
    private static final int NIBBLE = 0x2545F491;

    private final int contexts;
    private final SlotTable table;
    private final int[] hashes;
    private final int[] homes;
    private final int[] slots;
    /// Written only so that the loads that touch all lines stay: their misses overlap, since none waits for a
    /// comparison.
    private int touched;
    /// Of context i at `i << 8`, by state.
    private final AdaptiveMap histories;
    private final AdaptiveMap averages;

    ContextModel(int contexts, int slotBits) {
        this.contexts = contexts;
        this.table = new SlotTable(slotBits);
        this.hashes = new int[contexts];
        this.homes = new int[contexts];
        this.slots = new int[contexts];
        this.histories = new AdaptiveMap(contexts << 8, LIMIT);
        this.averages = new AdaptiveMap(contexts << 8, LEVEL_LIMIT);
        for (int i = 0; i < contexts << 8; i++) {
            histories.prior(i, BitHistory.prior(i & 255), 10);
            averages.prior(i, DecayingAverage.prior(i & 255), 6);
        }
    }

    /// Looks up all contexts at the start of a nibble.
    /// @param partial the bits of the byte so far under a leading one: 1 at the start of a byte
    /// @param seen contexts among which those with histories are counted
    /// @return their number
    int find(int[] byteHashes, int partial, int seen) {
        int touched = 0;
        for (int i = 0; i < contexts; i++) {
            int hash = (byteHashes[i] + partial * NIBBLE) * (NIBBLE | 1);
            hash ^= hash >>> 15;
            hashes[i] = hash;
            homes[i] = table.home(hash);
            touched ^= table.touch(homes[i]);
        }
        this.touched = touched;
        int found = 0;
        short[] nodes = table.nodes();
        for (int i = 0; i < contexts; i++) {
            slots[i] = table.find(homes[i], hashes[i]);
            if (i < seen && nodes[slots[i] + 1] != 0) {
                found++;
            }
        }
        return found;
    }

    /// Writes the inputs of the node, 1 to 15, of the nibble's tree.
    void predict(int node, int[] inputs) {
        short[] nodes = table.nodes();
        int[] history = histories.entries();
        int[] average = averages.entries();
        for (int i = 0; i < contexts; i++) {
            int value = nodes[slots[i] + node];
            if (value == 0) {
                inputs[i] = 0;
                inputs[contexts + i] = 0;
                inputs[2 * contexts + i] = 0;
            } else {
                int probability = AdaptiveMap.probabilityOf(history[i << 8 | value & 0xff]);
                inputs[i] = Logistic.stretch(probability);
                inputs[contexts + i] = Logistic.stretch(AdaptiveMap.probabilityOf(average[i << 8 | value >> 8 & 0xff]));
                inputs[2 * contexts + i] = (probability - (1 << 15)) >> 6;
            }
        }
    }

    void update(int node, int bit) {
        short[] nodes = table.nodes();
        byte[] nextHistory = BitHistory.table();
        byte[] nextAverage = DecayingAverage.table();
        int[] history = histories.entries();
        int[] average = averages.entries();
        for (int i = 0; i < contexts; i++) {
            int at = slots[i] + node;
            int state = nodes[at] & 0xff;
            int level = nodes[at] >> 8 & 0xff;
            history[i << 8 | state] = AdaptiveMap.updated(history[i << 8 | state], bit, LIMIT);
            average[i << 8 | level] = AdaptiveMap.updated(average[i << 8 | level], bit, LEVEL_LIMIT);
            nodes[at] = (short) (nextAverage[level << 1 | bit] << 8 | nextHistory[state << 1 | bit] & 0xff);
        }
    }
}
