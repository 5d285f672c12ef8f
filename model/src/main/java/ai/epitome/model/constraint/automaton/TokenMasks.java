package ai.epitome.model.constraint.automaton;

import java.util.Arrays;

/// Which tokens of a vocabulary may follow in each state of a constraint: worked out when a text first
/// comes there, kept for all texts. Thread-safe.
public final class TokenMasks {
    /// Masks that are kept; then all are forgotten.
    private static final int MOST_MASKS = 512;
    /// Pairs of node and stack that may be looked at for one mask: some seconds at the worst.
    private static final long MOST_WORK = 20_000_000;

    /// @param tokens a bit for each token
    /// @param farthest the largest distance to the end behind any of them
    record Mask(long[] tokens, long farthest) {}

    private final Automaton automaton;
    private final TokenVocabulary vocabulary;
    private int masks;
    private State[] path = new State[16];

    public TokenMasks(Network network, TokenVocabulary vocabulary) {
        this.automaton = new Automaton(network);
        this.vocabulary = vocabulary;
    }

    public TokenVocabulary vocabulary() {
        return vocabulary;
    }

    /// Where a text stands: a state, and the generation of states that it belongs to.
    record Place(State state, int generation) {}

    synchronized Place start() {
        automaton.budget(MOST_WORK);
        return new Place(automaton.start(), automaton.generation());
    }

    /// Behind one more token; null when it may not follow.
    synchronized Place behind(Place place, byte[] bytes) {
        automaton.budget(MOST_WORK);
        State state = current(place);
        for (byte value : bytes) {
            state = automaton.step(state, value & 0xFF);
        }
        return state == State.DEAD ? null : new Place(state, automaton.generation());
    }

    /// All tokens that may follow, those that end a text not among them.
    synchronized Mask mask(Place place) {
        automaton.budget(MOST_WORK);
        if (masks >= MOST_MASKS) {
            automaton.forget();
            masks = 0;
        }
        automaton.tidy();
        State state = current(place);
        if (state.mask == null) {
            state.mask = work(state);
            masks++;
        }
        return state.mask;
    }

    /// The tokens behind which the text can still end within `most` bytes.
    synchronized long[] within(Place place, long most) {
        automaton.budget(MOST_WORK);
        automaton.tidy();
        State state = current(place);
        long[] tokens = new long[(vocabulary.size() + 63) / 64];
        for (TokenVocabulary.Plain plain : vocabulary.plain()) {
            PlainRun run = PlainRun.of(state, automaton);
            if (run.characters() >= plain.most() && run.farthest() <= most) {
                add(plain.members(), tokens);
            } else {
                walk(plain.trie(), state, most, tokens);
            }
        }
        walk(vocabulary.others(), state, most, tokens);
        return tokens;
    }

    /// A shortest text that makes the text whole; null where it would nest too deep.
    synchronized byte[] shortest(Place place) {
        automaton.budget(MOST_WORK);
        State state = current(place);
        byte[] bytes = new byte[(int) state.distance];
        for (int i = 0; i < bytes.length; i++) {
            int value = stepNearer(state);
            if (value < 0) {
                return null;
            }
            bytes[i] = (byte) value;
            state = automaton.step(state, value);
        }
        return bytes;
    }

    private int stepNearer(State state) {
        for (int value : automaton.network().byteOf) {
            if (automaton.step(state, value).distance == state.distance - 1) {
                return value;
            }
        }
        return -1;
    }

    private State current(Place place) {
        return place.generation == automaton.generation() ? place.state : automaton.renew(place.state);
    }

    private Mask work(State state) {
        long[] tokens = new long[(vocabulary.size() + 63) / 64];
        PlainRun run = PlainRun.of(state, automaton);
        long farthest = 0;
        for (TokenVocabulary.Plain plain : vocabulary.plain()) {
            if (run.characters() >= plain.most()) {
                add(plain.members(), tokens);
                farthest = Math.max(farthest, run.farthest());
            } else {
                farthest = Math.max(farthest, walk(plain.trie(), state, Network.NEVER, tokens));
            }
        }
        farthest = Math.max(farthest, walk(vocabulary.others(), state, Network.NEVER, tokens));
        return new Mask(tokens, farthest);
    }

    private static void add(long[] members, long[] tokens) {
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] |= members[i];
        }
    }

    /// Sets the bits of the tokens that lead to a state at most `most` from the end; returns the largest of these
    /// distances.
    private long walk(TokenTrie trie, State from, long most, long[] tokens) {
        if (path.length <= trie.deepest) {
            path = Arrays.copyOf(path, 2 * trie.deepest);
        }
        path[0] = from;
        long farthest = 0;
        int node = 0;
        while (node < trie.size()) {
            int depth = trie.depth[node];
            State state = automaton.step(path[depth - 1], trie.value[node] & 0xFF);
            if (state == State.DEAD) {
                node = trie.end[node];
                continue;
            }
            path[depth] = state;
            int last = trie.firstToken[node + 1];
            if (state.distance <= most) {
                for (int i = trie.firstToken[node]; i < last; i++) {
                    tokens[trie.tokens[i] >> 6] |= 1L << trie.tokens[i];
                    farthest = Math.max(farthest, state.distance);
                }
            }
            node++;
        }
        return farthest;
    }
}
