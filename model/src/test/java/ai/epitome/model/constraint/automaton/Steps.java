package ai.epitome.model.constraint.automaton;

/// Where an automaton leads byte by byte, without masks.
public final class Steps {
    private Steps() {}

    /// Whether a token's bytes may stand behind those of a text.
    public static boolean mayFollow(Network network, byte[] text, byte[] token) {
        Automaton fresh = new Automaton(network);
        State state = fresh.start();
        for (byte value : text) {
            state = fresh.step(state, value & 0xFF);
        }
        for (byte value : token) {
            state = fresh.step(state, value & 0xFF);
        }
        return state != State.DEAD;
    }
}
