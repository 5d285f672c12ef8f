package ai.epitome.model.constraint.automaton;

import java.util.Arrays;
import java.util.PriorityQueue;

/// How many bytes the shortest way from each node to the end of its fragment has (Knuth 1977, a generalization of
/// Dijkstra's algorithm: what needs a rule waits until the rule's own distance is final).
final class ShortestTexts {
    private record Reached(long distance, int node) {}

    private final Network network;
    private final long[] distance;
    private final boolean[] done;
    /// For each node those that lead to it, one behind the other.
    private final int[] firstUser;
    private int[] nextUser = new int[1024];
    private int[] user = new int[1024];
    private int uses;
    private final PriorityQueue<Reached> queue = new PriorityQueue<>((x, y) -> Long.compare(x.distance, y.distance));

    ShortestTexts(Network network) {
        this.network = network;
        distance = new long[network.size()];
        done = new boolean[network.size()];
        firstUser = new int[network.size()];
        Arrays.fill(distance, Network.NEVER);
        Arrays.fill(firstUser, -1);
    }

    long[] distances() {
        for (int node = 0; node < network.size(); node++) {
            noteUses(node);
        }
        offer(Network.END, 0);
        while (!queue.isEmpty()) {
            int node = queue.poll().node;
            if (!done[node]) {
                done[node] = true;
                for (int use = firstUser[node]; use >= 0; use = nextUser[use]) {
                    reach(user[use], node);
                }
            }
        }
        return distance;
    }

    private void noteUses(int node) {
        int from = network.firstEdge[node];
        int to = network.firstEdge[node + 1];
        switch (network.kind[node]) {
            case BYTES -> {
                for (int e = from + 1; e < to; e += 2) {
                    use(network.edges[e], node);
                }
            }
            case SPLIT -> {
                for (int e = from; e < to; e++) {
                    use(network.edges[e], node);
                }
            }
            case CALL, LOOP -> {
                use(network.a[node], node);
                use(network.b[node], node);
            }
            case END -> {}
        }
    }

    private void use(int target, int node) {
        if (uses == user.length) {
            user = Arrays.copyOf(user, 2 * uses);
            nextUser = Arrays.copyOf(nextUser, 2 * uses);
        }
        user[uses] = node;
        nextUser[uses] = firstUser[target];
        firstUser[target] = uses++;
    }

    /// `node` leads to `target`, whose distance is final.
    private void reach(int node, int target) {
        switch (network.kind[node]) {
            case BYTES -> offer(node, distance[target] + 1);
            case SPLIT -> offer(node, distance[target]);
            case CALL -> offerBoth(node, 1);
            case LOOP -> {
                int rounds = network.edges[network.firstEdge[node]];
                if (rounds == 0) {
                    offer(node, distance[network.b[node]]);
                } else {
                    offerBoth(node, rounds);
                }
            }
            case END -> {}
        }
    }

    private void offerBoth(int node, int rounds) {
        if (done[network.a[node]] && done[network.b[node]]) {
            offer(node, times(rounds, distance[network.a[node]]) + distance[network.b[node]]);
        }
    }

    /// The product, at most [Network#NEVER].
    static long times(int rounds, long distance) {
        return rounds > 0 && distance > Network.NEVER / rounds ? Network.NEVER : rounds * distance;
    }

    private void offer(int node, long reached) {
        if (reached < distance[node]) {
            distance[node] = reached;
            queue.add(new Reached(reached, node));
        }
    }
}
