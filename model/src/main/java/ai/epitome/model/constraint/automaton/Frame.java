package ai.epitome.model.constraint.automaton;

/// Where to go on when a fragment ends: one entry of the stack, and those below it. Equal frames are one object
/// ([Automaton]), so that equal stacks are found by their top.
///
/// @param node to return to, or the LOOP node whose round this is
/// @param round number of this round, counting from 1 (no further than it matters); 0 for a return
/// @param parent the stack below; null for none
/// @param distance bytes of the shortest text from the end of the fragment to the end of everything
/// @param id for hashing and order
record Frame(int node, int round, Frame parent, long distance, int depth, int id) {
    static int idOf(Frame frame) {
        return frame == null ? 0 : frame.id;
    }

    static long distanceOf(Frame frame) {
        return frame == null ? 0 : frame.distance;
    }

    static int depthOf(Frame frame) {
        return frame == null ? 0 : frame.depth;
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return id;
    }
}
