package ai.epitome.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/// Trains byte-level byte-pair encoding (Sennrich et al. 2016; on bytes as in Radford et al. 2019), exactly: each merge
/// is the most frequent pair of neighbouring tokens in the text as merged so far; among equally frequent ones the pair
/// whose left token, then right token, is greater in byte order.
///
/// Text is cut into pieces first and only distinct pieces are kept, with their counts, so memory grows with the variety
/// of the text and not with its length. After a merge only the pieces that contain it are looked at. Pairs wait in a
/// heap whose entries may overstate a count: one that turns out stale when it comes up goes back with its true count.
public final class BytePairTrainer {
    /// The control token of the tokenizers that are trained here.
    public static final String END_OF_TEXT = "<|endoftext|>";

    private static final int BYTES = 256;
    /// Documents that may wait for a counting thread.
    private static final int WAITING = 256;

    /// A pair of neighbours: how often it occurs, and in which words it may.
    private static final class Pair {
        final int left;
        final int right;
        long count;
        final IntList words = new IntList();

        Pair(int left, int right) {
            this.left = left;
            this.right = right;
        }
    }

    /// A pair as it was when it entered the heap.
    private record Candidate(Pair pair, long count) {}

    private final List<byte[]> tokens = new ArrayList<>();
    private final List<int[]> words = new ArrayList<>();
    private final List<Long> wordCounts = new ArrayList<>();
    private final Map<Long, Pair> pairs = new HashMap<>();
    private final PriorityQueue<Candidate> heap = new PriorityQueue<>(this::compare);
    private final IntList merges = new IntList(); // left, right of each

    private BytePairTrainer(WordCounts counts) {
        for (int b = 0; b < BYTES; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        counts.forEach((word, count) -> {
            if (word.length > 1) {
                int[] ids = new int[word.length];
                Arrays.setAll(ids, i -> word[i] & 0xFF);
                words.add(ids);
                wordCounts.add(count);
            }
        });
    }

    /// Trains on documents with GPT-4's splitting and one control token, `<|endoftext|>`.
    public static BytePairTokenizer train(Iterator<byte[]> documents, int vocabulary, int threads) {
        return train(documents, vocabulary, Splitting.GPT4, List.of(END_OF_TEXT), threads);
    }

    /// Trains on documents. Text has ids from 0 on: the 256 bytes, then merged tokens in the order of their merges; the
    /// control tokens come last. Where control tokens are spelled out in the text, they separate documents.
    ///
    /// @param vocabulary number of ids, control tokens included; fewer come out when the text has no more pairs
    /// @param threads that split and count
    /// @throws IllegalArgumentException if the vocabulary has no room for the bytes and the control tokens
    public static BytePairTokenizer train(
            Iterator<byte[]> documents, int vocabulary, Splitting splitting, List<String> controls, int threads) {
        int least = BYTES + controls.size();
        if (vocabulary < least || vocabulary > BytePairVocabulary.MOST_TOKENS) {
            throw new IllegalArgumentException("a vocabulary must have %,d to %,d tokens, not %,d"
                    .formatted(least, BytePairVocabulary.MOST_TOKENS, vocabulary));
        }
        BytePairTrainer trainer = new BytePairTrainer(count(documents, splitting, controls, threads));
        trainer.run(vocabulary - controls.size());
        return trainer.tokenizer(splitting).withSpecialTokens(controls);
    }

    private static WordCounts count(
            Iterator<byte[]> documents, Splitting splitting, List<String> controls, int threads) {
        List<byte[]> separators = controls.stream().map(String::getBytes).toList();
        Semaphore room = new Semaphore(WAITING);
        ThreadLocal<WordCounts> own = new ThreadLocal<>();
        List<WordCounts> all = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> tasks = new ArrayList<>();
            while (documents.hasNext()) {
                byte[] text = documents.next();
                room.acquireUninterruptibly();
                tasks.add(executor.submit(() -> {
                    try {
                        if (own.get() == null) {
                            own.set(new WordCounts());
                            synchronized (all) {
                                all.add(own.get());
                            }
                        }
                        split(text, splitting.splitter(), separators, own.get());
                    } finally {
                        room.release();
                    }
                }));
                if (tasks.size() > 4 * WAITING) {
                    tasks.removeIf(Future::isDone);
                }
            }
            for (Future<?> task : tasks) {
                task.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while counting words", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("counting words failed: " + e.getCause(), e);
        }
        WordCounts total = new WordCounts();
        all.forEach(total::addAll);
        return total;
    }

    /// Splits what lies between control tokens.
    private static void split(byte[] text, Splitter splitter, List<byte[]> separators, WordCounts counts) {
        int from = 0;
        for (int i = 0; i < text.length; i++) {
            for (byte[] separator : separators) {
                int end = i + separator.length;
                if (i >= from && end <= text.length && Arrays.equals(text, i, end, separator, 0, separator.length)) {
                    splitter.split(text, from, i, counts);
                    from = end;
                }
            }
        }
        splitter.split(text, from, text.length, counts);
    }

    private void run(int size) {
        for (int word = 0; word < words.size(); word++) {
            int[] ids = words.get(word);
            for (int i = 0; i + 1 < ids.length; i++) {
                add(ids[i], ids[i + 1], word);
            }
        }
        pairs.values().forEach(pair -> heap.add(new Candidate(pair, pair.count)));
        while (tokens.size() < size && !heap.isEmpty()) {
            Candidate best = heap.poll();
            if (best.count != best.pair.count) {
                if (best.pair.count > 0) {
                    heap.add(new Candidate(best.pair, best.pair.count));
                }
                continue;
            }
            merge(best.pair);
        }
    }

    private void merge(Pair pair) {
        int merged = tokens.size();
        byte[] left = tokens.get(pair.left);
        byte[] right = tokens.get(pair.right);
        byte[] token = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, token, left.length, right.length);
        tokens.add(token);
        merges.add(pair.left);
        merges.add(pair.right);
        Set<Pair> grown = new HashSet<>();
        for (int i = 0; i < pair.words.size(); i++) {
            int word = pair.words.get(i);
            int[] before = words.get(word);
            int[] after = replace(before, pair, merged);
            if (after.length < before.length) { // else an earlier merge has taken the pair from here
                words.set(word, after);
                recount(word, before, after, merged, grown);
            }
        }
        pairs.remove(key(pair.left, pair.right));
        grown.forEach(other -> heap.add(new Candidate(other, other.count)));
    }

    private static int[] replace(int[] ids, Pair pair, int merged) {
        int[] result = new int[ids.length];
        int length = 0;
        for (int i = 0; i < ids.length; i++) {
            if (i + 1 < ids.length && ids[i] == pair.left && ids[i + 1] == pair.right) {
                result[length++] = merged;
                i++;
            } else {
                result[length++] = ids[i];
            }
        }
        return Arrays.copyOf(result, length);
    }

    /// Counts again what lies beside a merged token; the other pairs of a long word stay as they are.
    private void recount(int word, int[] before, int[] after, int merged, Set<Pair> grown) {
        long times = wordCounts.get(word);
        int old = 0; // where after[i] begins in `before`
        for (int i = 0; i < after.length; i++) {
            boolean isMerged = after[i] == merged;
            boolean nextIsMerged = i + 1 < after.length && after[i + 1] == merged;
            int end = old + (isMerged ? 2 : 1);
            if (isMerged) {
                pair(before[old], before[old + 1]).count -= times;
            }
            if (isMerged || nextIsMerged) {
                if (end < before.length) {
                    pair(before[end - 1], before[end]).count -= times;
                }
                if (i + 1 < after.length) {
                    grown.add(add(after[i], after[i + 1], word));
                }
            }
            old = end;
        }
    }

    /// Notes a pair of a word.
    private Pair add(int left, int right, int word) {
        Pair pair = pair(left, right);
        pair.count += wordCounts.get(word);
        if (pair.words.size() == 0 || pair.words.get(pair.words.size() - 1) != word) {
            pair.words.add(word);
        }
        return pair;
    }

    private Pair pair(int left, int right) {
        return pairs.computeIfAbsent(key(left, right), _ -> new Pair(left, right));
    }

    /// One for each pair; multiplied, since the hash of a `Long` would be `left ^ right`, which many pairs share.
    private static long key(int left, int right) {
        return ((long) left << 32 | right) * 0x9E3779B97F4A7C15L;
    }

    /// The most frequent first; among equals the greater in byte order.
    private int compare(Candidate a, Candidate b) {
        int byCount = Long.compare(b.count, a.count);
        if (byCount != 0) {
            return byCount;
        }
        int byLeft = Arrays.compareUnsigned(tokens.get(b.pair.left), tokens.get(a.pair.left));
        return byLeft != 0 ? byLeft : Arrays.compareUnsigned(tokens.get(b.pair.right), tokens.get(a.pair.right));
    }

    private BytePairTokenizer tokenizer(Splitting splitting) {
        int count = merges.size() / 2;
        int[] left = new int[count];
        int[] right = new int[count];
        int[] merged = new int[count];
        for (int i = 0; i < count; i++) {
            left[i] = merges.get(2 * i);
            right[i] = merges.get(2 * i + 1);
            merged[i] = BYTES + i;
        }
        byte[][] bytes = tokens.toArray(byte[][]::new);
        BytePairVocabulary vocabulary = BytePairVocabulary.ofMerges(bytes, left, right, merged, false);
        return new BytePairTokenizer(vocabulary, splitting, Normalization.NONE, List.of());
    }
}
