package ai.epitome.train.data;

import java.util.Comparator;
import java.util.List;

/// Which records of a set are held out: those with the lowest hashes, so that copies are on one side, and the choice
/// does not depend on the order of files.
public final class HashSplit {
    /// One record in so many is held out, at least one.
    public static final int ONE_IN = 20;
    /// And no more than so many.
    public static final int MOST = 500;

    private HashSplit() {}

    /// The highest hash that is held out; below all where none is, since nothing would be left.
    public static String border(List<String> hashes) {
        List<String> sorted = hashes.stream().sorted(Comparator.naturalOrder()).toList();
        int count = Math.clamp(sorted.size() / ONE_IN, 1, MOST);
        boolean leavesSome = !sorted.isEmpty() && sorted.get(count - 1).compareTo(sorted.getLast()) < 0;
        return leavesSome ? sorted.get(count - 1) : "";
    }
}
