package ai.epitome.model.constraint.automaton;

import ai.epitome.model.constraint.grammar.ConstraintException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Refuses rules that begin with themselves, directly or through others: they could be entered without end before the
/// first byte.
final class LeftRecursion {
    private final Network network;
    private final int[] ruleStart;
    private final List<String> names;
    private final Map<Integer, Integer> ruleOf = new HashMap<>();

    LeftRecursion(Network network, int[] ruleStart, List<String> names) {
        this.network = network;
        this.ruleStart = ruleStart;
        this.names = names;
        for (int rule = 0; rule < ruleStart.length; rule++) {
            ruleOf.put(ruleStart[rule], rule);
        }
    }

    /// @throws ConstraintException that names the rule
    void refuse() {
        List<List<Integer>> begins = new ArrayList<>();
        for (int start : ruleStart) {
            begins.add(beginsWith(start));
        }
        // 0 is unseen, 1 on the way down, 2 finished
        int[] state = new int[ruleStart.length];
        int[] next = new int[ruleStart.length];
        for (int root = 0; root < ruleStart.length; root++) {
            Deque<Integer> path = new ArrayDeque<>();
            enter(root, state, path);
            while (!path.isEmpty()) {
                int rule = path.peek();
                if (next[rule] == begins.get(rule).size()) {
                    state[path.pop()] = 2;
                } else {
                    enter(begins.get(rule).get(next[rule]++), state, path);
                }
            }
        }
    }

    private void enter(int rule, int[] state, Deque<Integer> path) {
        if (state[rule] == 1) {
            throw new ConstraintException(
                    "rule `%s` begins with itself (left recursion): write the repetition with `*` or `+`, or put the recursion last"
                            .formatted(names.get(rule)));
        }
        if (state[rule] == 0) {
            state[rule] = 1;
            path.push(rule);
        }
    }

    /// The rules that may be entered before any byte of the rule that begins at `start`.
    private List<Integer> beginsWith(int start) {
        List<Integer> found = new ArrayList<>();
        Map<Integer, Boolean> seen = new HashMap<>();
        Deque<Integer> work = new ArrayDeque<>(List.of(start));
        while (!work.isEmpty()) {
            int node = work.pop();
            if (seen.put(node, true) != null) {
                continue;
            }
            boolean skips = node != Network.END && network.distance[network.a[node]] == 0;
            switch (network.kind[node]) {
                case SPLIT ->
                    Arrays.stream(network.edges, network.firstEdge[node], network.firstEdge[node + 1])
                            .forEach(work::push);
                case CALL -> {
                    found.add(ruleOf.get(network.a[node]));
                    if (skips) {
                        work.push(network.b[node]);
                    }
                }
                case LOOP -> {
                    work.push(network.a[node]);
                    if (skips || network.minimum(node) == 0) {
                        work.push(network.b[node]);
                    }
                }
                case BYTES, END -> {}
            }
        }
        return found;
    }
}
