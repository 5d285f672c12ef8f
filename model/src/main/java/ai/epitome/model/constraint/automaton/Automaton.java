package ai.epitome.model.constraint.automaton;

import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Expression;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// A [Network] at work: a pushdown automaton whose sets of nodes and stacks become [State]s when a text first leads to
/// them, with transitions that are looked up from then on. When there are too many, all are forgotten. Not thread-safe.
///
/// **Bounds.** A state has at most [#MOST_PAIRS] pairs of node and stack, and a stack at most [#MOST_DEPTH] entries
/// (deeper ones are left out: a text cannot nest deeper). Work is counted in pairs looked at; [#budget(long)] sets how
/// much is allowed.
public final class Automaton {
    static final int MOST_PAIRS = 4096;
    static final int MOST_DEPTH = 1000;
    private static final int MOST_STATES = 40_000;
    private static final int MOST_FRAMES = 400_000;

    private record FrameKey(int node, int round, Frame parent) {}

    private record Pair(int node, Frame stack) {}

    /// Compares by nodes and stacks.
    private record StateKey(State state) {
        @Override
        public boolean equals(Object other) {
            return other instanceof StateKey(State that)
                    && Arrays.equals(state.nodes, that.nodes)
                    && sameStacks(state.stacks, that.stacks)
                    && state.accepts == that.accepts;
        }

        private static boolean sameStacks(Frame[] x, Frame[] y) {
            for (int i = 0; i < x.length; i++) {
                if (x[i] != y[i]) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public int hashCode() {
            int hash = state.accepts ? 1 : 0;
            for (int i = 0; i < state.nodes.length; i++) {
                hash = 31 * (31 * hash + state.nodes[i]) + Frame.idOf(state.stacks[i]);
            }
            return hash;
        }
    }

    private final Network network;
    private final Map<FrameKey, Frame> frames = new HashMap<>();
    private final Map<StateKey, State> states = new HashMap<>();
    private final Closure closure = new Closure();
    private int generation;
    private State start;
    private long left = Long.MAX_VALUE;

    public Automaton(Network network) {
        this.network = network;
    }

    Network network() {
        return network;
    }

    /// Sets how many pairs may be looked at from now on.
    void budget(long pairs) {
        left = pairs;
    }

    /// Whether the whole text is one of the network's.
    public boolean accepts(byte[] text) {
        State state = start();
        for (byte value : text) {
            state = step(state, value & 0xFF);
        }
        return state.accepts;
    }

    State start() {
        if (start == null) {
            closure.add(network.start, null, 0);
            start = closure.finish();
        }
        return start;
    }

    /// How often everything was forgotten: states of an earlier generation belong to [#renew].
    int generation() {
        return generation;
    }

    /// Forgets everything when there is much.
    void tidy() {
        if (states.size() > MOST_STATES || frames.size() > MOST_FRAMES) {
            forget();
        }
    }

    void forget() {
        frames.clear();
        states.clear();
        start = null;
        generation++;
    }

    /// The state of an earlier generation in this one.
    State renew(State old) {
        Map<Frame, Frame> renewed = new HashMap<>();
        for (int i = 0; i < old.nodes.length; i++) {
            closure.add(old.nodes[i], renew(old.stacks[i], renewed), 0);
        }
        closure.accepts = old.accepts;
        return closure.finish();
    }

    private Frame renew(Frame old, Map<Frame, Frame> renewed) {
        Deque<Frame> path = new ArrayDeque<>();
        for (Frame frame = old; frame != null && !renewed.containsKey(frame); frame = frame.parent()) {
            path.push(frame);
        }
        for (Frame frame : path) {
            Frame parent = frame.parent() == null ? null : renewed.get(frame.parent());
            renewed.put(frame, frame(frame.node(), frame.round(), parent, frame.distance()));
        }
        return old == null ? null : renewed.get(old);
    }

    /// The state behind one more byte, perhaps [State#DEAD].
    State step(State state, int value) {
        if (state == State.DEAD) {
            return state;
        }
        int group = network.classOf[value] & 0xFF;
        State known = state.next[group];
        return known != null ? known : (state.next[group] = work(state, value));
    }

    private State work(State state, int value) {
        for (int i = 0; i < state.nodes.length; i++) {
            int node = state.nodes[i];
            for (int e = network.firstEdge[node]; e < network.firstEdge[node + 1]; e += 2) {
                int range = network.edges[e];
                if (value >= (range & 0xFF) && value <= range >> 8) {
                    closure.add(network.edges[e + 1], state.stacks[i], 0);
                }
            }
        }
        return closure.finish();
    }

    private Frame frame(int node, int round, Frame parent, long distance) {
        FrameKey key = new FrameKey(node, round, parent);
        Frame frame = frames.get(key);
        if (frame == null) {
            frame = new Frame(node, round, parent, distance, Frame.depthOf(parent) + 1, frames.size() + 1);
            frames.put(key, frame);
        }
        return frame;
    }

    /// Gathers what is reached without a byte.
    private final class Closure {
        /// What has been reached, with the number of frames on top of its stack that are younger than the last byte:
        /// the fewer, the more can be done from there.
        private final Map<Pair, Integer> reached = new HashMap<>();
        private final Deque<Pair> work = new ArrayDeque<>();
        private final TreeMap<Long, Frame> pairs = new TreeMap<>();
        private boolean accepts;

        void add(int node, Frame stack, int young) {
            if (network.distance[node] == Network.NEVER || Frame.distanceOf(stack) >= Network.NEVER) {
                return;
            }
            Pair pair = new Pair(node, stack);
            Integer known = reached.get(pair);
            if (known == null || young < known) {
                reached.put(pair, young);
                work.push(pair);
                if (reached.size() > 4 * MOST_PAIRS) {
                    throw tooAmbiguous();
                }
            }
        }

        private ConstraintException tooAmbiguous() {
            clear();
            return new ConstraintException(
                    "it is too ambiguous: a text can be read in more than %,d ways at once".formatted(MOST_PAIRS));
        }

        State finish() {
            while (!work.isEmpty()) {
                Pair pair = work.pop();
                if (--left < 0) {
                    clear();
                    throw new ConstraintException("it takes too much work to tell which tokens may follow");
                }
                visit(pair.node, pair.stack, reached.get(pair));
            }
            State state = state();
            clear();
            return state;
        }

        private void clear() {
            reached.clear();
            work.clear();
            pairs.clear();
            accepts = false;
        }

        private void visit(int node, Frame stack, int young) {
            switch (network.kind[node]) {
                case BYTES -> pairs.put((long) node << 32 | Frame.idOf(stack), stack);
                case SPLIT -> {
                    for (int e = network.firstEdge[node]; e < network.firstEdge[node + 1]; e++) {
                        add(network.edges[e], stack, young);
                    }
                }
                case CALL -> call(network.a[node], network.b[node], stack, young);
                case LOOP -> loop(node, 0, stack, young);
                case END -> end(stack, young);
            }
        }

        private void call(int first, int back, Frame stack, int young) {
            if (back == Network.END) { // the other rule's end is this one's: no need to come back
                add(first, stack, young);
            } else if (Frame.depthOf(stack) < MOST_DEPTH) {
                long distance = network.distance[back] + Frame.distanceOf(stack);
                add(first, frame(back, 0, stack, distance), young + 1);
            }
        }

        /// Behind `rounds` rounds of a loop.
        private void loop(int node, int rounds, Frame stack, int young) {
            int min = network.minimum(node);
            int max = network.maximum(node);
            int back = network.b[node];
            if (rounds >= min) {
                add(back, stack, young);
            }
            if ((max == Expression.UNBOUNDED || rounds < max) && Frame.depthOf(stack) < MOST_DEPTH) {
                int round = max == Expression.UNBOUNDED ? Math.min(rounds + 1, Math.max(min, 1)) : rounds + 1;
                long rest = ShortestTexts.times(Math.max(0, min - round), network.distance[network.a[node]]);
                long distance = Math.min(Network.NEVER, rest + network.distance[back] + Frame.distanceOf(stack));
                add(network.a[node], frame(node, round, stack, distance), young + 1);
            }
        }

        private void end(Frame stack, int young) {
            if (stack == null) {
                accepts = true;
            } else if (stack.round() == 0) {
                add(stack.node(), stack.parent(), Math.max(0, young - 1));
            } else if (young == 0) { // a round without a byte would be no round
                loop(stack.node(), stack.round(), stack.parent(), 0);
            }
        }

        private State state() {
            if (pairs.isEmpty() && !accepts) {
                return State.DEAD;
            }
            if (pairs.size() > MOST_PAIRS) {
                throw tooAmbiguous();
            }
            int[] nodes = new int[pairs.size()];
            Frame[] stacks = new Frame[nodes.length];
            long distance = accepts ? 0 : Network.NEVER;
            int i = 0;
            for (Map.Entry<Long, Frame> pair : pairs.entrySet()) {
                nodes[i] = (int) (pair.getKey() >> 32);
                stacks[i] = pair.getValue();
                distance = Math.min(distance, network.distance[nodes[i]] + Frame.distanceOf(stacks[i]));
                i++;
            }
            State state = new State(nodes, stacks, accepts, distance, network.byteOf.length);
            State known = states.putIfAbsent(new StateKey(state), state);
            return known == null ? state : known;
        }
    }
}
