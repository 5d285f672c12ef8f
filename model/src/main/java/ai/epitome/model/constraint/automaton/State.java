package ai.epitome.model.constraint.automaton;

/// Where a text may stand: all pairs of a BYTES node and a stack that it has led to. Its transitions are
/// worked out when they are first asked for.
final class State {
    /// Nothing can follow, and the text is not one that the grammar allows.
    static final State DEAD = new State(new int[0], new Frame[0], false, Network.NEVER, 0);

    final int[] nodes;
    final Frame[] stacks;
    /// Whether the text so far is whole.
    final boolean accepts;
    /// Bytes of the shortest text that makes it whole.
    final long distance;
    /// The state behind a byte of each class; null where that has not been asked yet.
    final State[] next;
    /// What [TokenMasks] worked out for this state; null before.
    TokenMasks.Mask mask;
    PlainRun plain;

    State(int[] nodes, Frame[] stacks, boolean accepts, long distance, int classes) {
        this.nodes = nodes;
        this.stacks = stacks;
        this.accepts = accepts;
        this.distance = distance;
        this.next = new State[classes];
    }

    /// Whether nothing can follow.
    boolean ends() {
        return nodes.length == 0;
    }
}
