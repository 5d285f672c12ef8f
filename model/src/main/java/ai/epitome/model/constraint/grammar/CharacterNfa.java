package ai.epitome.model.constraint.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;

/// An expression without references as a nondeterministic automaton over characters, for [Dfa#of]. Node 0 is the end;
/// counted repetitions are copied out.
final class CharacterNfa {
    private static final int MOST_NODES = 50_000;
    private static final long MOST_WORK = 50_000_000;

    /// Characters of a set lead to one node; null: goes on at all targets without a character.
    private record Node(CodePoints set, List<Integer> targets) {}

    private final List<Node> nodes = new ArrayList<>();
    private final int start;
    private long work;

    CharacterNfa(Expression expression) {
        add(null);
        start = build(expression, 0);
    }

    private int add(CodePoints set, Integer... targets) {
        if (nodes.size() == MOST_NODES) {
            throw new ConstraintException(
                    "a pattern is too long: copied out it has more than %,d parts".formatted(MOST_NODES));
        }
        nodes.add(new Node(set, new ArrayList<>(Arrays.asList(targets))));
        return nodes.size() - 1;
    }

    private int build(Expression expression, int next) {
        return switch (expression) {
            case Expression.Text(byte[] bytes) -> {
                int[] characters =
                        new String(bytes, StandardCharsets.UTF_8).codePoints().toArray();
                int node = next;
                for (int i = characters.length - 1; i >= 0; i--) {
                    node = add(CodePoints.of(characters[i], characters[i]), node);
                }
                yield node;
            }
            case Expression.Characters(CodePoints set) -> add(set, next);
            case Expression.Sequence(List<Expression> parts) -> {
                int node = next;
                for (Expression part : parts.reversed()) {
                    node = build(part, node);
                }
                yield node;
            }
            case Expression.Choice(List<Expression> parts) ->
                add(null, parts.stream().map(part -> build(part, next)).toArray(Integer[]::new));
            case Expression.Repeat(Expression body, int min, int max) -> repeat(body, min, max, next);
            case Expression.Automaton(Dfa dfa, boolean _) -> automaton(dfa, next);
            case Expression.Reference _ -> throw new IllegalArgumentException("not regular: " + expression);
        };
    }

    private int repeat(Expression body, int min, int max, int next) {
        int node = next;
        if (max == Expression.UNBOUNDED) {
            node = add(null, next);
            nodes.get(node).targets.add(build(body, node));
        }
        for (int i = min; i < max; i++) {
            node = add(null, build(body, node), next);
        }
        for (int i = 0; i < min; i++) {
            node = build(body, node);
        }
        return node;
    }

    private int automaton(Dfa dfa, int next) {
        int first = nodes.size();
        for (int state = 0; state < dfa.size(); state++) {
            add(null);
        }
        for (int state = 0; state < dfa.size(); state++) {
            Node node = nodes.get(first + state);
            dfa.targets(state).forEach((target, set) -> node.targets.add(add(set, first + target)));
            if (dfa.accepts(state)) {
                node.targets.add(next);
            }
        }
        return dfa.size() == 0 ? add(null) : first;
    }

    Dfa determinize() {
        Dfa.Builder<BitSet> builder = new Dfa.Builder<>();
        builder.stateOf(closure(List.of(start)));
        for (int state = builder.next(); state >= 0; state = builder.next()) {
            BitSet members = builder.keys.get(state);
            builder.accept(members.get(0));
            edges(members, builder);
        }
        return builder.build();
    }

    private BitSet closure(List<Integer> from) {
        BitSet reached = new BitSet();
        Deque<Integer> open = new ArrayDeque<>(from);
        while (!open.isEmpty()) {
            int node = open.pop();
            if (!reached.get(node)) {
                reached.set(node);
                count(1);
                if (nodes.get(node).set == null) {
                    nodes.get(node).targets.forEach(open::push);
                }
            }
        }
        return reached;
    }

    private void count(long more) {
        work += more;
        if (work > MOST_WORK) {
            throw new ConstraintException("a pattern is too complex: it takes too much work to make its automaton");
        }
    }

    /// Between two neighbouring bounds of sets all characters lead to the same nodes.
    private void edges(BitSet members, Dfa.Builder<BitSet> builder) {
        TreeMap<Integer, BitSet> changes = new TreeMap<>();
        for (int member = members.nextSetBit(0); member >= 0; member = members.nextSetBit(member + 1)) {
            CodePoints set = nodes.get(member).set;
            for (int range = 0; set != null && range < set.ranges(); range++) {
                changes.computeIfAbsent(set.from(range), _ -> new BitSet()).flip(member);
                changes.computeIfAbsent(set.to(range) + 1, _ -> new BitSet()).flip(member);
                count(4);
            }
        }
        BitSet active = new BitSet();
        Integer from = null;
        for (var change : changes.entrySet()) {
            if (!active.isEmpty()) {
                CodePoints range = CodePoints.of(from, change.getKey() - 1);
                if (!range.isEmpty()) {
                    builder.edge(behind(active), range);
                }
            }
            active.xor(change.getValue());
            from = change.getKey();
        }
    }

    private BitSet behind(BitSet active) {
        List<Integer> targets = new ArrayList<>();
        active.stream().forEach(member -> targets.addAll(nodes.get(member).targets));
        return closure(targets);
    }
}
