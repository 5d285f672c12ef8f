package ai.epitome.model.engine;

import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.Transformer.AdaptedRows;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.attention.CachedRows;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Forward passes over the next tokens of many sequences at once: chunks of prompts beside single tokens. Each weight
/// is read once for all of them, whatever their adapters; attention looks at each sequence's own blocks.
final class BatchPass implements AutoCloseable {
    /// Rows of logits in memory at once, as long as one sequence does not want more.
    private static final int LOGIT_ROWS = 64;

    /// The next tokens of a sequence.
    ///
    /// @param adapter of the sequence, besides the model's own; or null
    /// @param count how many; their blocks are reserved
    /// @param wanted after how many of them, the last ones, predictions are wanted
    record Part(CachedSequence sequence, Adapter adapter, int count, int wanted) {
        Part(CachedSequence sequence, int count, int wanted) {
            this(sequence, null, count, wanted);
        }
    }

    /// Gets predictions. Those of one part come in order, one at a time; parts may come from several threads at once.
    @FunctionalInterface
    interface Predictions {
        /// @param part index of the part
        /// @param index which of the part's tokens was read
        /// @param logits (1, V) of the token after it, for as long as this takes
        void accept(int part, int index, Tensor logits);
    }

    private final Transformer model;
    private final Backend backend;
    private final KeyValuePool pool;
    private final StepArena arena = new StepArena();

    BatchPass(Transformer model, Backend backend, KeyValuePool pool) {
        this.model = model;
        this.backend = backend;
        this.pool = pool;
    }

    /// Reads the parts' tokens and gives predictions. Holds the turn of the backend's workers meanwhile.
    void run(List<Part> parts, Predictions predictions) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tape tape = new Tape(backend, arena, false);
            Tensor hidden = hidden(tape, parts);
            for (Part part : parts) {
                part.sequence.advance(part.count);
            }
            predict(tape, parts, hidden, predictions);
        } finally {
            turn.unlock();
        }
    }

    /// Reads a part's tokens and adds their last hidden states to `sums`, (C).
    void addHidden(Part part, double[] sums) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tensor hidden = hidden(new Tape(backend, arena, false), List.of(part)); // (N, C)
            part.sequence.advance(part.count);
            float[] values = hidden.toFloats();
            for (int i = 0; i < values.length; i++) {
                sums[i % sums.length] += values[i];
            }
        } finally {
            turn.unlock();
        }
    }

    private Tensor hidden(Tape tape, List<Part> parts) {
        int rows = parts.stream().mapToInt(Part::count).sum();
        int[] ids = new int[rows];
        int[] positions = new int[rows];
        List<CachedRows> sequences = new ArrayList<>(parts.size());
        int row = 0;
        for (Part part : parts) {
            CachedSequence sequence = part.sequence;
            sequences.add(sequence.rows(row, part.count));
            for (int i = 0; i < part.count; i++) {
                ids[row + i] = sequence.token(sequence.read() + i);
                positions[row + i] = sequence.read() + i;
            }
            row += part.count;
        }
        int window = model.config().window();
        return model.hidden(
                tape,
                ids,
                positions,
                adapted(parts),
                (layer, fused) -> tape.attention(fused, pool.memory(), layer, window, sequences));
    }

    /// The rows of neighbours with the same adapter, taken together.
    private static List<AdaptedRows> adapted(List<Part> parts) {
        List<AdaptedRows> adapted = new ArrayList<>();
        int row = 0;
        for (Part part : parts) {
            int end = row + part.count;
            if (part.adapter != null) {
                boolean goesOn = !adapted.isEmpty()
                        && adapted.getLast().adapter() == part.adapter
                        && adapted.getLast().to() == row;
                int from = goesOn ? adapted.removeLast().from() : row;
                adapted.add(new AdaptedRows(part.adapter, from, end));
            }
            row = end;
        }
        return adapted;
    }

    /// Logits of some parts at a time.
    private void predict(Tape tape, List<Part> parts, Tensor hidden, Predictions predictions) {
        int from = 0;
        int row = 0;
        while (from < parts.size()) {
            int to = from;
            int wanted = 0;
            int rows = 0;
            while (to < parts.size() && (to == from || wanted + parts.get(to).wanted <= LOGIT_ROWS)) {
                wanted += parts.get(to).wanted;
                rows += parts.get(to).count;
                to++;
            }
            if (to == from + 1 && wanted > LOGIT_ROWS) {
                predictMany(tape, parts.get(from), from, hidden.slice(row, row + rows), predictions);
            } else if (wanted > 0) {
                predictGroup(tape, parts, from, to, hidden.slice(row, row + rows), wanted, predictions);
            }
            from = to;
            row += rows;
        }
    }

    private void predictMany(Tape tape, Part part, int number, Tensor hidden, Predictions predictions) {
        for (int at = part.count - part.wanted; at < part.count; at += LOGIT_ROWS) {
            int end = Math.min(part.count, at + LOGIT_ROWS);
            Tensor logits = model.logits(tape, hidden.slice(at, end));
            for (int i = at; i < end; i++) {
                predictions.accept(number, i, logits.slice(i - at, i - at + 1));
            }
            arena.release(logits);
        }
    }

    private void predictGroup(
            Tape tape, List<Part> parts, int from, int to, Tensor hidden, int wanted, Predictions predictions) {
        Tensor chosen = wanted == hidden.rows() ? hidden : arena.allocate(hidden.dtype(), wanted, hidden.columns());
        int[] firsts = new int[to - from]; // of each part among the chosen rows
        int row = 0;
        int next = 0;
        long bytes = (long) hidden.columns() * hidden.dtype().bytes();
        for (int p = from; p < to; p++) {
            Part part = parts.get(p);
            firsts[p - from] = next;
            if (chosen != hidden) {
                long source = (row + part.count - part.wanted) * bytes;
                MemorySegment.copy(hidden.data(), source, chosen.data(), next * bytes, part.wanted * bytes);
            }
            row += part.count;
            next += part.wanted;
        }
        Tensor logits = model.logits(tape, chosen);
        backend.workers().run(to - from, (task, _) -> {
            Part part = parts.get(from + task);
            for (int i = 0; i < part.wanted; i++) {
                int chosenRow = firsts[task] + i;
                int index = part.count - part.wanted + i;
                predictions.accept(from + task, index, logits.slice(chosenRow, chosenRow + 1));
            }
        });
        arena.release(logits);
        if (chosen != hidden) {
            arena.release(chosen);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
