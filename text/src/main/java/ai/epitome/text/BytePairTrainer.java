package ai.epitome.text;

import ai.epitome.text.split.Splitter;
import ai.epitome.text.split.Splitting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
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
/// of the text and not with its length. After a merge only what stands beside it is looked at: see [MergeLearner].
public final class BytePairTrainer {
    /// The control token of the tokenizers that are trained here.
    public static final String END_OF_TEXT = "<|endoftext|>";

    private static final int BYTES = 256;
    /// Documents that may wait for a counting thread.
    private static final int WAITING = 256;

    private BytePairTrainer() {}

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
        WordCounts words = count(documents, splitting, controls, threads);
        MergeLearner learnt = MergeLearner.learn(words, vocabulary - controls.size());
        return tokenizer(learnt, splitting).withSpecialTokens(controls);
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
        WordCounts total = all.isEmpty() ? new WordCounts() : all.removeFirst();
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

    private static BytePairTokenizer tokenizer(MergeLearner learnt, Splitting splitting) {
        IntList merges = learnt.merges();
        int count = merges.size() / 2;
        int[] left = new int[count];
        int[] right = new int[count];
        int[] merged = new int[count];
        for (int i = 0; i < count; i++) {
            left[i] = merges.get(2 * i);
            right[i] = merges.get(2 * i + 1);
            merged[i] = BYTES + i;
        }
        BytePairVocabulary vocabulary = BytePairVocabulary.ofMerges(learnt.tokens(), left, right, merged, false);
        return new BytePairTokenizer(vocabulary, splitting, Normalization.NONE, List.of());
    }
}
