package ai.epitome.serve.moderation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a text is made of, for a linear classifier: its words, pairs of words, and runs of 3 to 5
/// characters within words, each hashed to one of [#PLACES] places.
///
/// A text is looked at in windows of [#WINDOW] words, each beginning half a window after the one before:
/// what is said in one sentence does not get lost in a long text, and the work for a window is bounded,
/// whatever its words are.
public final class NgramFeatures {
    static final int PLACES = 1 << 16;
    static final int WINDOW = 48;
    /// Longer words are cut: nothing that means something is so long.
    private static final int WORD_CHARACTERS = 24;
    /// Texts with fewer different words and runs are shorter than length 1: of a word or two nobody can be
    /// sure.
    private static final int FEWEST_WHOLE = 16;
    private static final int FEWEST_RUNS = 64;
    private static final int SHORTEST_RUN = 3;
    private static final int LONGEST_RUN = 5;
    private static final int WORD_SEED = 0x9E3779B9;
    private static final int PAIR_SEED = 0x85EBCA6B;
    private static final int RUN_SEED = 0xC2B2AE35;

    private NgramFeatures() {}

    /// How many different places there are.
    public static int places() {
        return PLACES;
    }

    /// The places that a window has, ascending, and with which weight: words and pairs together have length
    /// 1, and so have runs of characters.
    public record Window(int[] places, float[] weights) {}

    /// @return none when the text has no word
    public static List<Window> windows(String text) {
        List<String> words = words(PlainText.of(text));
        List<Window> windows = new ArrayList<>();
        int to = 0;
        for (int from = 0; to < words.size(); from += WINDOW / 2) {
            to = Math.min(words.size(), from + WINDOW);
            windows.add(window(words.subList(from, to)));
        }
        return windows;
    }

    private static List<String> words(String plain) {
        List<String> words = new ArrayList<>();
        int start = -1;
        for (int i = 0; i <= plain.length(); i++) {
            boolean within = i < plain.length() && isOfWord(plain.charAt(i));
            if (within && start < 0) {
                start = i;
            } else if (!within && start >= 0) {
                words.add(plain.substring(start, Math.min(i, start + WORD_CHARACTERS)));
                start = -1;
            }
        }
        return words;
    }

    private static boolean isOfWord(char sign) {
        return Character.isLetterOrDigit(sign) || sign == '\'' || Character.isSurrogate(sign);
    }

    private static Window window(List<String> words) {
        Places whole = new Places();
        Places runs = new Places();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            whole.add(hash(WORD_SEED, word, 0, word.length()));
            if (i > 0) {
                String before = words.get(i - 1);
                whole.add(hash(hash(PAIR_SEED, before, 0, before.length()), word, 0, word.length()));
            }
            String bounded = "^" + word + "$";
            for (int length = SHORTEST_RUN; length <= LONGEST_RUN; length++) {
                for (int at = 0; at + length <= bounded.length(); at++) {
                    runs.add(hash(RUN_SEED, bounded, at, at + length));
                }
            }
        }
        return join(whole.distinct(), runs.distinct());
    }

    private static Window join(int[] whole, int[] runs) {
        int[] places = new int[whole.length + runs.length];
        float[] weights = new float[places.length];
        float ofWhole = (float) (1 / Math.sqrt(Math.max(FEWEST_WHOLE, whole.length)));
        float ofRuns = (float) (1 / Math.sqrt(Math.max(FEWEST_RUNS, runs.length)));
        int count = 0;
        for (int w = 0, r = 0; w < whole.length || r < runs.length; ) {
            int next = Math.min(
                    w < whole.length ? whole[w] : Integer.MAX_VALUE, r < runs.length ? runs[r] : Integer.MAX_VALUE);
            float weight = 0;
            if (w < whole.length && whole[w] == next) {
                weight += ofWhole;
                w++;
            }
            if (r < runs.length && runs[r] == next) {
                weight += ofRuns;
                r++;
            }
            places[count] = next;
            weights[count++] = weight;
        }
        return new Window(Arrays.copyOf(places, count), Arrays.copyOf(weights, count));
    }

    /// FNV-1a over the characters, with the last step of MurmurHash3 so that the low bits depend on all of
    /// them.
    private static int hash(int seed, String text, int from, int to) {
        int hash = seed;
        for (int i = from; i < to; i++) {
            hash = (hash ^ text.charAt(i)) * 0x01000193;
        }
        hash ^= hash >>> 16;
        hash *= 0x85EBCA6B;
        hash ^= hash >>> 13;
        hash *= 0xC2B2AE35;
        return hash ^ hash >>> 16;
    }

    /// Places that are collected.
    private static final class Places {
        private int[] all = new int[256];
        private int size;

        void add(int hash) {
            if (size == all.length) {
                all = Arrays.copyOf(all, 2 * size);
            }
            all[size++] = hash & PLACES - 1;
        }

        int[] distinct() {
            Arrays.sort(all, 0, size);
            int kept = 0;
            for (int i = 0; i < size; i++) {
                if (i == 0 || all[i] != all[kept - 1]) {
                    all[kept++] = all[i];
                }
            }
            return Arrays.copyOf(all, kept);
        }
    }
}
