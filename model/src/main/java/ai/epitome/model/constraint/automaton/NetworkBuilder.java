package ai.epitome.model.constraint.automaton;

import ai.epitome.model.constraint.automaton.Network.Kind;
import ai.epitome.model.constraint.grammar.CodePoints;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Makes a [Network] of a [Grammar]. An expression is built from its end: given the node that goes on behind it, it
/// becomes the node that begins it.
public final class NetworkBuilder {
    private static final int MOST_NODES = 400_000;
    private static final int MOST_EDGES = 2_000_000;
    private static final int[] NO_EDGES = {};

    /// The last bytes of characters: `more` of them, whose six bits each make numbers in these ranges.
    private record Tail(int more, List<Integer> ranges, int next) {}

    private final Grammar grammar;
    private final List<Kind> kinds = new ArrayList<>();
    private final List<int[]> edges = new ArrayList<>();
    private int[] a = new int[256];
    private int[] b = new int[256];
    private int edgeCount;
    private final Map<Tail, Integer> tails = new HashMap<>();
    private final int[] ruleStart;

    private NetworkBuilder(Grammar grammar) {
        this.grammar = grammar;
        this.ruleStart = new int[grammar.rules().size()];
    }

    /// @throws ConstraintException when it is too large, begins a rule with itself, or allows no text at all
    public static Network build(Grammar grammar) {
        return new NetworkBuilder(grammar).build();
    }

    private Network build() {
        add(Kind.END, NO_EDGES);
        for (int rule = 0; rule < ruleStart.length; rule++) {
            ruleStart[rule] = add(Kind.SPLIT, NO_EDGES);
        }
        for (int rule = 0; rule < ruleStart.length; rule++) {
            setEdges(ruleStart[rule], build(grammar.rules().get(rule), Network.END));
        }
        Network network = network();
        new LeftRecursion(network, ruleStart, grammar.names()).refuse();
        if (network.distance[network.start] == Network.NEVER) {
            throw new ConstraintException("no text meets it: something that it needs contradicts itself or never ends");
        }
        return network;
    }

    private Network network() {
        int[] first = new int[kinds.size() + 1];
        int[] all = new int[edgeCount];
        for (int node = 0; node < kinds.size(); node++) {
            int[] own = edges.get(node);
            System.arraycopy(own, 0, all, first[node], own.length);
            first[node + 1] = first[node] + own.length;
        }
        int size = kinds.size();
        return new Network(
                kinds.toArray(Kind[]::new), Arrays.copyOf(a, size), Arrays.copyOf(b, size), first, all, ruleStart[0]);
    }

    private int add(Kind kind, int... own) {
        int node = kinds.size();
        if (node == MOST_NODES) {
            throw new ConstraintException("it is too large: more than %,d states".formatted(MOST_NODES));
        }
        kinds.add(kind);
        edges.add(NO_EDGES);
        setEdges(node, own);
        if (node == a.length) {
            a = Arrays.copyOf(a, 2 * node);
            b = Arrays.copyOf(b, 2 * node);
        }
        return node;
    }

    private void setEdges(int node, int... own) {
        edgeCount += own.length - edges.get(node).length;
        if (edgeCount > MOST_EDGES) {
            throw new ConstraintException("it is too large: more than %,d transitions".formatted(MOST_EDGES));
        }
        edges.set(node, own);
    }

    private int link(Kind kind, int first, int second, int... own) {
        int node = add(kind, own);
        a[node] = first;
        b[node] = second;
        return node;
    }

    private int build(Expression expression, int next) {
        return switch (expression) {
            case Expression.Text(byte[] bytes) -> text(bytes, next);
            case Expression.Characters(CodePoints set) -> characters(set, next);
            case Expression.Sequence(List<Expression> parts) -> {
                int node = next;
                for (Expression part : parts.reversed()) {
                    node = build(part, node);
                }
                yield node;
            }
            case Expression.Choice(List<Expression> parts) ->
                parts.size() == 1
                        ? build(parts.getFirst(), next)
                        : add(
                                Kind.SPLIT,
                                parts.stream()
                                        .mapToInt(part -> build(part, next))
                                        .toArray());
            case Expression.Repeat repeat -> repeat(repeat, next);
            case Expression.Reference(int rule) -> link(Kind.CALL, ruleStart[rule], next);
            case Expression.Automaton(Dfa dfa, boolean inJson) -> automaton(dfa, inJson, next);
        };
    }

    private int text(byte[] bytes, int next) {
        int node = next;
        for (int i = bytes.length - 1; i >= 0; i--) {
            int value = bytes[i] & 0xFF;
            node = add(Kind.BYTES, value | value << 8, node);
        }
        return node;
    }

    private int repeat(Expression.Repeat repeat, int next) {
        Expression body = repeat.body();
        int min = repeat.min();
        int max = repeat.max();
        if (max == 0) {
            return next;
        }
        if (max == Expression.UNBOUNDED && min <= 1) {
            int loop = add(Kind.SPLIT, NO_EDGES);
            int first = build(body, loop);
            setEdges(loop, first, next);
            return min == 0 ? loop : first;
        }
        if (max == 1) {
            int once = build(body, next);
            return min == 1 ? once : add(Kind.SPLIT, once, next);
        }
        return link(Kind.LOOP, build(body, Network.END), next, min, max);
    }

    private int automaton(Dfa dfa, boolean inJson, int next) {
        if (dfa.isEmpty()) {
            return add(Kind.SPLIT, NO_EDGES);
        }
        int[] nodes = new int[dfa.size()];
        Arrays.setAll(nodes, _ -> add(Kind.SPLIT, NO_EDGES));
        for (int state = 0; state < nodes.length; state++) {
            int[] targets = new int[dfa.targets(state).size() + 1];
            int count = 0;
            for (var edge : dfa.targets(state).entrySet()) {
                int target = nodes[edge.getKey()];
                targets[count++] = inJson
                        ? build(JsonText.characters(edge.getValue()), target)
                        : characters(edge.getValue(), target);
            }
            if (dfa.accepts(state)) {
                targets[count++] = next;
            }
            setEdges(nodes[state], Arrays.copyOf(targets, count));
        }
        return nodes[0];
    }

    private int characters(CodePoints set, int next) {
        return new CharacterBytes(set, next).build();
    }

    /// The bytes of a set of characters, as a trie whose equal parts are shared.
    private final class CharacterBytes {
        private final CodePoints set;
        private final int next;
        private final List<Integer> own = new ArrayList<>();
        private Tail last;

        CharacterBytes(CodePoints set, int next) {
            this.set = set;
            this.next = next;
        }

        int build() {
            for (int[] range : set.within(0, 0x7F)) {
                own.add(range[0] | range[1] << 8);
                own.add(next);
            }
            lead(0xC2, 0xDF, 0xC0, 1, 0x80);
            lead(0xE0, 0xEF, 0xE0, 2, 0x800);
            lead(0xF0, 0xF4, 0xF0, 3, 0x10000);
            return add(Kind.BYTES, own.stream().mapToInt(i -> i).toArray());
        }

        /// First bytes of characters of `more` bytes more, of which `least` is the first.
        private void lead(int from, int to, int mark, int more, int least) {
            int size = 1 << 6 * more;
            for (int value = from; value <= to; value++) {
                int base = (value - mark) * size;
                List<int[]> below = set.within(Math.max(base, least), base + size - 1);
                extend(own, value, tail(below, base, more));
            }
            last = null;
        }

        private Tail tail(List<int[]> ranges, int base, int more) {
            return new Tail(
                    more,
                    ranges.stream()
                            .flatMap(range -> Stream.of(range[0] - base, range[1] - base))
                            .toList(),
                    next);
        }

        /// Adds an edge to the node of `tail`, or widens the last one that leads there.
        private void extend(List<Integer> edges, int value, Tail tail) {
            if (tail.ranges.isEmpty()) {
                last = null;
                return;
            }
            if (tail.equals(last)) {
                int range = edges.get(edges.size() - 2);
                edges.set(edges.size() - 2, range & 0xFF | value << 8);
            } else {
                edges.add(value | value << 8);
                edges.add(nodeOf(tail));
                last = tail;
            }
        }

        private int nodeOf(Tail tail) {
            if (tail.more == 0) {
                return next;
            }
            Integer known = tails.get(tail);
            if (known == null) {
                known = build(tail);
                tails.put(tail, known);
            }
            return known;
        }

        private int build(Tail tail) {
            int size = 1 << 6 * (tail.more - 1);
            int[] bounds = tail.ranges.stream().mapToInt(i -> i).toArray();
            List<Integer> edges = new ArrayList<>();
            Tail outer = last;
            last = null;
            for (int value = 0; value < 64; value++) {
                int base = value * size;
                extend(
                        edges,
                        0x80 | value,
                        tail(CodePoints.within(bounds, base, base + size - 1), base, tail.more - 1));
            }
            last = outer;
            return add(Kind.BYTES, edges.stream().mapToInt(i -> i).toArray());
        }
    }
}
