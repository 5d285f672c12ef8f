package ai.epitome.model.constraint.automaton;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// For how many characters a text may go on with any of [ai.epitome.model.constraint.grammar.JsonText#PLAIN], whichever
/// they are.
///
/// @param characters at least so many
/// @param exact whether not more
/// @param farthest the largest distance to the end behind any of those characters
record PlainRun(int characters, boolean exact, long farthest) {
    /// More characters than any plain token has; as many are looked for at first.
    private static final int ENOUGH = 32;
    private static final int AHEAD = 96;
    /// First bytes of characters, each with what may follow.
    private static final int[][] CHARACTERS = {
        {0x20, 0x21},
        {0x23, 0x5B},
        {0x5D, 0x7F},
        {0xC2, 0xDF, 0x80, 0xBF},
        {0xE0, 0xE0, 0xA0, 0xBF, 0x80, 0xBF},
        {0xE1, 0xEC, 0x80, 0xBF, 0x80, 0xBF},
        {0xED, 0xED, 0x80, 0x9F, 0x80, 0xBF},
        {0xEE, 0xEF, 0x80, 0xBF, 0x80, 0xBF},
        {0xF0, 0xF0, 0x90, 0xBF, 0x80, 0xBF, 0x80, 0xBF},
        {0xF1, 0xF3, 0x80, 0xBF, 0x80, 0xBF, 0x80, 0xBF},
        {0xF4, 0xF4, 0x80, 0x8F, 0x80, 0xBF, 0x80, 0xBF}
    };

    static PlainRun of(State state, Automaton automaton) {
        if (state.plain == null || (!state.plain.exact && state.plain.characters < ENOUGH)) {
            look(state, automaton);
        }
        return state.plain;
    }

    /// Goes on character by character to all states there are, until one cannot take every character, or none is new.
    private static void look(State state, Automaton automaton) {
        Set<State> seen = new LinkedHashSet<>(List.of(state));
        List<List<State>> levels = new ArrayList<>(List.of(List.of(state)));
        boolean endless = false;
        boolean fails = false;
        while (levels.size() <= AHEAD && !endless && !fails) {
            Set<State> behind = new LinkedHashSet<>();
            for (State from : levels.getLast()) {
                fails = fails || !addBehind(from, automaton, behind);
            }
            if (!fails) {
                behind.removeAll(seen);
                seen.addAll(behind);
                endless = behind.isEmpty();
                levels.add(List.copyOf(behind));
            }
        }
        note(state, levels, seen, endless, fails);
    }

    private static void note(State state, List<List<State>> levels, Set<State> seen, boolean endless, boolean fails) {
        long farthest = seen.stream().mapToLong(s -> s.distance).max().orElse(0);
        if (endless) {
            seen.forEach(s -> s.plain = new PlainRun(Integer.MAX_VALUE, true, farthest));
            return;
        }
        int depth = levels.size() - 1;
        if (!fails) {
            for (int level = 1; level <= depth; level++) {
                for (State behind : levels.get(level)) {
                    if (behind.plain == null || !behind.plain.exact) {
                        behind.plain = new PlainRun(depth - level, false, farthest);
                    }
                }
            }
        }
        state.plain = new PlainRun(depth, fails, farthest);
    }

    /// Adds the states behind each character; false when there is one that cannot follow.
    private static boolean addBehind(State from, Automaton automaton, Set<State> behind) {
        for (int[] ranges : CHARACTERS) {
            Set<State> states = new LinkedHashSet<>(List.of(from));
            for (int i = 0; i < ranges.length; i += 2) {
                Set<State> next = new LinkedHashSet<>();
                for (State state : states) {
                    if (!addBehind(state, ranges[i], ranges[i + 1], automaton, next)) {
                        return false;
                    }
                }
                states = next;
            }
            behind.addAll(states);
        }
        return true;
    }

    private static boolean addBehind(State state, int from, int to, Automaton automaton, Set<State> next) {
        byte[] groups = automaton.network().classOf;
        for (int value = from; value <= to; value++) {
            if (value == from || groups[value] != groups[value - 1]) {
                State target = automaton.step(state, value);
                if (target == State.DEAD) {
                    return false;
                }
                next.add(target);
            }
        }
        return true;
    }
}
