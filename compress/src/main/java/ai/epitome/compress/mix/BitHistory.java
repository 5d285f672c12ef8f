package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What bits came in a context, as one of at most 256 states; state 0 is "none yet".
///
/// A state stands for counts of zeros and ones and for the last bits. The rule, from which the tables are made
/// by a walk over everything reachable from the empty history:
/// - the count of the bit that came grows by one, up to a bound that depends on the other count (nearly
///   certain contexts are worth counting far, mixed ones are not: recent bits matter more than many);
/// - of the other count, what exceeds [#KEPT] shrinks to a quarter: a surprise makes old evidence stale;
/// - the last [#EXACT] bits are known while there are not more counted, then only the last one.
///
/// Beside its histories ([DecayingAverage] is the other), a context maps each to a probability that is learned
/// (Mahoney 2005, section 3: indirect modelling).
final class BitHistory {
    private static final int KEPT = 3;
    private static final int EXACT = 4;
    /// Greatest count of one bit for 0, 1, ... of the other.
    private static final int[] BOUNDS = {44, 24, 12, 8, 6, 5};

    /// Counts, and the last bits with the oldest highest.
    private record Counts(int zeros, int ones, int tail, int tailLength) {
        Counts next(int bit) {
            int same = bit == 1 ? ones : zeros;
            int other = bit == 1 ? zeros : ones;
            other = other > KEPT ? KEPT + (other - KEPT) / 4 : other;
            same = Math.min(same + 1, BOUNDS[Math.min(other, BOUNDS.length - 1)]);
            int length = Math.min(tailLength + 1, same + other <= EXACT ? EXACT : 1);
            int bits = (tail << 1 | bit) & ((1 << length) - 1);
            return bit == 1 ? new Counts(other, same, bits, length) : new Counts(same, other, bits, length);
        }

        int total() {
            return zeros + ones;
        }
    }

    private static final List<Counts> STATES = reachable();
    private static final byte[] NEXT = transitions();

    private BitHistory() {}

    static int states() {
        return STATES.size();
    }

    static int next(int state, int bit) {
        return NEXT[state << 1 | bit] & 0xff;
    }

    static int zeros(int state) {
        return STATES.get(state).zeros;
    }

    static int ones(int state) {
        return STATES.get(state).ones;
    }

    /// Transitions by `state << 1 | bit`, for loops.
    static byte[] table() {
        return NEXT;
    }

    /// How much is lost with a history of each state.
    static byte[] worths() {
        byte[] worths = new byte[256];
        for (int s = 0; s < states(); s++) {
            worths[s] = (byte) STATES.get(s).total();
        }
        return worths;
    }

    /// Probability of a 1 before anything was learned about a state: a deterministic history is believed more than its
    /// counts alone would say.
    static int prior(int state) {
        if (state >= states()) {
            return BitPredictor.ONE / 2;
        }
        Counts counts = STATES.get(state);
        int zeros = counts.zeros * 5 + (counts.zeros == 0 ? 1 : 2);
        int ones = counts.ones * 5 + (counts.ones == 0 ? 1 : 2);
        return counts.total() == 0 ? BitPredictor.ONE / 2 : BitPredictor.ONE * ones / (zeros + ones);
    }

    private static List<Counts> reachable() {
        List<Counts> states = new ArrayList<>(List.of(new Counts(0, 0, 0, 0)));
        for (int s = 0; s < states.size(); s++) {
            for (int bit = 0; bit < 2; bit++) {
                Counts next = states.get(s).next(bit);
                if (!states.contains(next)) {
                    states.add(next);
                }
            }
        }
        if (states.size() > 256) {
            throw new IllegalStateException(states.size() + " states of a bit history, 256 fit a byte");
        }
        return List.copyOf(states);
    }

    private static byte[] transitions() {
        Map<Counts, Integer> numbers = new HashMap<>();
        for (int s = 0; s < STATES.size(); s++) {
            numbers.put(STATES.get(s), s);
        }
        byte[] next = new byte[512];
        for (int s = 0; s < STATES.size(); s++) {
            for (int bit = 0; bit < 2; bit++) {
                next[s << 1 | bit] = numbers.get(STATES.get(s).next(bit)).byteValue();
            }
        }
        return next;
    }
}
