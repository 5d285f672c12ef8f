package ai.epitome.model.constraint.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// A deterministic automaton over characters, for what expressions alone cannot say: that a text meets several of them
/// at once, or one and not another. State 0 is the first; every state can still come to an end.
public final class Dfa {
    public static final int MOST_STATES = 20_000;
    private static final int MOST_EDGES = 200_000;

    private final List<SortedMap<Integer, CodePoints>> targets;
    private final BitSet accepting;

    private Dfa(List<SortedMap<Integer, CodePoints>> targets, BitSet accepting) {
        this.targets = targets;
        this.accepting = accepting;
    }

    /// @throws ConstraintException when it has too many states
    public static Dfa of(Expression expression) {
        return new CharacterNfa(expression).determinize();
    }

    /// All texts of `min` to `max` characters.
    public static Dfa lengths(int min, int max) {
        Builder<Integer> builder = new Builder<>();
        builder.stateOf(0);
        for (int length = builder.next(); length >= 0; length = builder.next()) {
            int to = max == Expression.UNBOUNDED ? Math.min(length + 1, min) : length + 1;
            if (max == Expression.UNBOUNDED || length < max) {
                builder.edge(to, CodePoints.ALL);
            }
            builder.accept(length >= min);
        }
        return builder.build();
    }

    /// Its states, which are numbered from 0.
    public int size() {
        return targets.size();
    }

    /// Where the characters of each set lead.
    public SortedMap<Integer, CodePoints> targets(int state) {
        return targets.get(state);
    }

    /// Whether a text may end in this state.
    public boolean accepts(int state) {
        return accepting.get(state);
    }

    /// Whether no text is accepted.
    public boolean isEmpty() {
        return targets.isEmpty() || accepting.isEmpty();
    }

    /// What both accept.
    public Dfa and(Dfa other) {
        return combine(other, false);
    }

    /// What this one accepts and the other does not.
    public Dfa minus(Dfa other) {
        return combine(other, true);
    }

    /// A state of each; -1 where the other has none.
    private record Pair(int mine, int others) {}

    private Dfa combine(Dfa other, boolean negated) {
        Builder<Pair> builder = new Builder<>();
        if (size() == 0 || (other.size() == 0 && !negated)) {
            return builder.build();
        }
        List<Pair> pairs = builder.keys;
        builder.stateOf(new Pair(0, other.size() == 0 ? -1 : 0));
        for (int state = builder.next(); state >= 0; state = builder.next()) {
            Pair pair = pairs.get(state);
            SortedMap<Integer, CodePoints> others = pair.others < 0 ? new TreeMap<>() : other.targets(pair.others);
            targets(pair.mine).forEach((mine, set) -> {
                CodePoints rest = set;
                for (var edge : others.entrySet()) {
                    CodePoints both = set.and(edge.getValue());
                    if (!both.isEmpty()) {
                        builder.edge(new Pair(mine, edge.getKey()), both);
                        rest = rest.minus(edge.getValue());
                    }
                }
                if (negated && !rest.isEmpty()) {
                    builder.edge(new Pair(mine, -1), rest);
                }
            });
            boolean theirs = pair.others >= 0 && other.accepts(pair.others);
            builder.accept(accepts(pair.mine) && theirs != negated);
        }
        return builder.build();
    }

    /// Makes an automaton state by state; a state is known by a key.
    public static final class Builder<K> {
        final List<K> keys = new ArrayList<>();
        private final Map<K, Integer> numbers = new HashMap<>();
        private final List<SortedMap<Integer, CodePoints>> targets = new ArrayList<>();
        private final BitSet accepting = new BitSet();
        private int current = -1;
        private int edges;

        public int stateOf(K key) {
            return numbers.computeIfAbsent(key, k -> {
                if (keys.size() == MOST_STATES) {
                    throw new ConstraintException(
                            "a pattern is too complex: its automaton has more than %,d states".formatted(MOST_STATES));
                }
                keys.add(k);
                targets.add(new TreeMap<>());
                return keys.size() - 1;
            });
        }

        /// Goes on to the next state, whose edges are to follow; -1 when there is none.
        public int next() {
            return ++current < keys.size() ? current : -1;
        }

        /// What a state stands for.
        public K key(int state) {
            return keys.get(state);
        }

        public void edge(K to, CodePoints set) {
            if (++edges > MOST_EDGES) {
                throw new ConstraintException(
                        "a pattern is too complex: its automaton has more than %,d transitions".formatted(MOST_EDGES));
            }
            targets.get(current).merge(stateOf(to), set, CodePoints::or);
        }

        public void accept(boolean accepts) {
            accepting.set(current, accepts);
        }

        /// Without the states from which nothing is accepted.
        public Dfa build() {
            BitSet useful = useful();
            int[] renamed = new int[keys.size()];
            List<SortedMap<Integer, CodePoints>> kept = new ArrayList<>();
            BitSet accepted = new BitSet();
            for (int state = useful.nextSetBit(0); state >= 0; state = useful.nextSetBit(state + 1)) {
                renamed[state] = kept.size();
                accepted.set(kept.size(), accepting.get(state));
                kept.add(targets.get(state));
            }
            kept.replaceAll(own -> {
                SortedMap<Integer, CodePoints> result = new TreeMap<>();
                own.forEach((target, set) -> {
                    if (useful.get(target)) {
                        result.put(renamed[target], set);
                    }
                });
                return result;
            });
            return useful.get(0) ? new Dfa(kept, accepted) : new Dfa(List.of(), new BitSet());
        }

        private BitSet useful() {
            List<List<Integer>> sources = new ArrayList<>();
            keys.forEach(_ -> sources.add(new ArrayList<>()));
            for (int state = 0; state < targets.size(); state++) {
                for (int target : targets.get(state).keySet()) {
                    sources.get(target).add(state);
                }
            }
            BitSet useful = new BitSet();
            Deque<Integer> work = new ArrayDeque<>();
            accepting.stream().forEach(work::push);
            while (!work.isEmpty()) {
                int state = work.pop();
                if (!useful.get(state)) {
                    useful.set(state);
                    sources.get(state).forEach(work::push);
                }
            }
            return useful;
        }
    }
}
