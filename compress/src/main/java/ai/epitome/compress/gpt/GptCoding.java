package ai.epitome.compress.gpt;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.Progress;
import ai.epitome.compress.gpt.BlockStream.Decoding;
import ai.epitome.compress.gpt.BlockStream.Encoding;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntUnaryOperator;

/// Coding of blocks with a trained model's predictions of their tokens. Blocks are independent of each other. When they
/// are decoded, as many as [#group] go through the model side by side and share each reading of its weights; when they
/// are encoded, one after another, a hundred tokens at a time. How they are grouped changes no bit.
public final class GptCoding implements Coding {
    /// Bytes of settings: the format, and a context.
    public static final int SETTINGS = 1 + Integer.BYTES;

    private static final int BYTES = 256;
    private static final int PROBE_BYTES = 16;
    private static final int PROBE_TOKENS = 24;
    private static final byte FORMAT = 1;

    /// Longer contexts cost time in attention and gain little in files.
    private static final int MOST_CONTEXT = 1024;
    /// Blocks side by side: four panels of rows for the products, and no more.
    private static final int MOST_GROUP = 48;
    /// Memory for keys and values.
    private static final long CACHE_BYTES = 1L << 30;

    private final Method method;
    private final Tokenizer tokenizer;
    private final LosslessTokens tokens;
    private final OptionalInt start;
    private final int symbols;
    private final ExactTransformer transformer;
    private final ExactKernels kernels;
    private final Workers workers;
    private final List<ExactSequence> sequences = new ArrayList<>();
    private final Frequencies[] frequencies;
    private SortedTokens sorted; // null until needed

    /// @param model weights and tokenizer; may be closed afterwards
    /// @param hashes what an archive keeps of it
    /// @param context tokens that a prediction sees at most
    /// @throws IllegalArgumentException when there are bytes that its tokens cannot stand for
    public GptCoding(LoadedModel model, ModelHashes hashes, int context, Workers workers, ExactKernels kernels) {
        tokenizer = model.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no tokenizer, so nobody knows which bytes its tokens stand for"));
        tokens = LosslessTokens.of(tokenizer);
        this.workers = workers;
        this.kernels = kernels;
        transformer = new ExactTransformer(model.transformer(), context, workers, kernels);
        frequencies = new Frequencies[4 * workers.count()];
        start = model.beginning();
        symbols = tokenizer.kind().equals("byte") ? BYTES : tokenizer.vocabularySize();
        byte[] settings = ByteBuffer.allocate(SETTINGS)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(FORMAT)
                .putInt(context)
                .array();
        method = new Method(false, false, Optional.of(hashes), Method.Numerics.EXACT, settings);
    }

    /// A model, a folder or a file, as a coding for new archives.
    ///
    /// @param hashes of the model
    /// @throws IOException when it is no whole model, or its tokens cannot stand for all bytes
    public static GptCoding open(Path source, ModelHashes hashes, Workers workers) throws IOException {
        return open(source, hashes, most -> most, workers);
    }

    /// A model, a folder or a file, as the coding of an archive that says `settings`.
    ///
    /// @throws MalformedCodeException when the settings are none of this class
    public static GptCoding open(Path source, ModelHashes hashes, byte[] settings, Workers workers) throws IOException {
        if (settings.length != SETTINGS || settings[0] != FORMAT) {
            throw new MalformedCodeException("settings %s of a trained model, expected format %d and a context"
                    .formatted(HexFormat.of().formatHex(settings), FORMAT));
        }
        int context = ByteBuffer.wrap(settings).order(ByteOrder.LITTLE_ENDIAN).getInt(1);
        return open(source, hashes, most -> context(context, most), workers);
    }

    private static int context(int context, int most) {
        if (context < 2 || context > most) {
            throw new MalformedCodeException(
                    "settings with a context of %d, expected 2 to %d".formatted(context, most));
        }
        return context;
    }

    /// @param context given the longest one
    private static GptCoding open(Path source, ModelHashes hashes, IntUnaryOperator context, Workers workers)
            throws IOException {
        try (LoadedModel model = LoadedModel.open(source)) {
            int most = Math.min(MOST_CONTEXT, model.transformer().config().context());
            return new GptCoding(model, hashes, context.applyAsInt(most), workers, ExactKernels.best());
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(source, e.getMessage(), e);
        }
    }

    @Override
    public Method method() {
        return method;
    }

    @Override
    public int group() {
        long fitting = Math.min(CACHE_BYTES, Runtime.getRuntime().maxMemory() / 4);
        return Math.clamp(fitting / transformer.sequenceBytes(), 1, MOST_GROUP);
    }

    @Override
    public boolean usesThreads() {
        return true;
    }

    /// A hash of the frequencies after some tokens of a fixed run, read at once and one more alone.
    @Override
    public byte[] probe() {
        ExactSequence sequence = sequence(0);
        ExactSequence[] rows = new ExactSequence[Math.min(PROBE_TOKENS, transformer.context() - 1)];
        Arrays.fill(rows, sequence);
        int[] tokens = new int[rows.length];
        Arrays.setAll(tokens, i -> (int) (i * 7_919L % symbols));
        MessageDigest digest = ModelHashes.sha256();
        transformer.read(rows, tokens, rows.length);
        float[] logits = transformer.logits(0, rows.length);
        for (int row = 0; row < rows.length; row += 11) {
            digest(frequencies(0, logits, row), digest);
        }
        transformer.read(rows, new int[] {1 % symbols}, 1);
        digest(frequencies(0, transformer.logits(0, 1), 0), digest);
        return Arrays.copyOf(digest.digest(), PROBE_BYTES);
    }

    private static void digest(Frequencies frequencies, MessageDigest digest) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * frequencies.quantised().length);
        bytes.asIntBuffer().put(frequencies.quantised());
        digest.update(bytes);
    }

    /// One block after another: their tokens are known, so those of one make a whole pass.
    @Override
    public byte[][] encode(byte[][] blocks, Progress progress) {
        byte[][] coded = new byte[blocks.length][];
        long plainBytes = 0;
        long codedBytes = 0;
        for (int i = 0; i < blocks.length; i++) {
            coded[i] = encode(blocks[i]);
            plainBytes += blocks[i].length;
            codedBytes += coded[i].length;
            progress.at(plainBytes, codedBytes);
        }
        return coded;
    }

    private byte[] encode(byte[] block) {
        Encoding stream = new Encoding(sequence(0), start, tokens.encode(block));
        if (start.isEmpty() && block.length > 0) {
            stream.part(0, new Frequencies(symbols)).encode(stream.encoder);
        }
        ExactSequence[] rows = new ExactSequence[ExactTransformer.MOST_ROWS];
        Arrays.fill(rows, stream.sequence);
        int[] read = new int[rows.length];
        BlockStream.Part[] parts = new BlockStream.Part[rows.length];
        while (stream.unfinished()) {
            transformer.makeRoom(stream.sequence);
            int first = stream.firstPredicted();
            int room = transformer.context() - stream.sequence.length();
            int count = Math.min(Math.min(room, rows.length), stream.readable());
            for (int row = 0; row < count; row++) {
                read[row] = stream.next();
            }
            transformer.read(rows, read, count);
            predict(count, (row, next) -> parts[row] = stream.part(first + row, next));
            for (int row = 0; row < count; row++) {
                parts[row].encode(stream.encoder);
            }
        }
        return stream.encoder.finish();
    }

    /// Token by token, all blocks side by side.
    @Override
    public byte[][] decode(byte[][] coded, int[] lengths, Progress progress) {
        byte[][] plain = new byte[coded.length][];
        for (int first = 0; first < coded.length; first += ExactTransformer.MOST_ROWS) {
            int last = Math.min(coded.length, first + ExactTransformer.MOST_ROWS);
            List<Decoding> streams = new ArrayList<>();
            for (int i = first; i < last; i++) {
                Decoding stream = new Decoding(sequence(i - first), start, tokenizer::token, coded[i], lengths[i]);
                plain[i] = stream.plain;
                streams.add(stream);
            }
            decode(streams, progress);
        }
        return plain;
    }

    private void decode(List<Decoding> streams, Progress progress) {
        List<Decoding> active = unfinished(streams);
        if (start.isEmpty()) {
            Frequencies equal = new Frequencies(symbols);
            active.forEach(stream -> stream.take(equal));
            active = unfinished(active);
        }
        while (!active.isEmpty()) {
            List<Decoding> rows = active;
            ExactSequence[] sequences = rows.stream().map(row -> row.sequence).toArray(ExactSequence[]::new);
            transformer.makeRoom(sequences);
            transformer.read(
                    sequences, rows.stream().mapToInt(BlockStream::next).toArray(), rows.size());
            predict(rows.size(), (row, next) -> rows.get(row).take(next));
            progress.at(
                    streams.stream().mapToLong(Decoding::length).sum(),
                    streams.stream().mapToLong(Decoding::position).sum());
            active = unfinished(rows);
        }
    }

    private static List<Decoding> unfinished(List<Decoding> streams) {
        return streams.stream().filter(BlockStream::unfinished).toList();
    }

    /// What is done with what the model expects after a row; rows come on several threads.
    @FunctionalInterface
    private interface Prediction {
        void accept(int row, Frequencies next);
    }

    private void predict(int rows, Prediction prediction) {
        float[] logits = transformer.logits(0, rows);
        int tasks = Math.min(rows, frequencies.length);
        workers.run(tasks, (task, _) -> {
            for (int row = rows * task / tasks; row < rows * (task + 1) / tasks; row++) {
                prediction.accept(row, frequencies(task, logits, row));
            }
        });
    }

    /// Sequence `index`, empty. Their memory is kept from group to group.
    private ExactSequence sequence(int index) {
        while (sequences.size() <= index) {
            sequences.add(transformer.newSequence());
        }
        sequences.get(index).clear();
        return sequences.get(index);
    }

    /// The frequencies after row `row`, in place `slot`, which belongs to one thread at a time.
    private Frequencies frequencies(int slot, float[] logits, int row) {
        if (frequencies[slot] == null) {
            frequencies[slot] = new Frequencies(symbols);
        }
        frequencies[slot].set(kernels, logits, row * transformer.logitStride());
        return frequencies[slot];
    }

    /// What the model expects, byte by byte. One of them at a time: they share the model.
    TokenWalk newWalk() {
        if (sorted == null) {
            sorted = new SortedTokens(tokenizer, symbols);
        }
        return new TokenWalk(sorted, symbols, transformer, transformer.newSequence(), start, kernels);
    }

    LosslessTokens tokens() {
        return tokens;
    }

    /// Blocks one at a time; each begins anew.
    @Override
    public BlockCodec newCodec() {
        return new BlockCodec() {
            @Override
            public byte[] encode(byte[] plain) {
                return GptCoding.this.encode(plain);
            }

            @Override
            public byte[] decode(byte[] coded, int length) {
                return GptCoding.this.decode(new byte[][] {coded}, new int[] {length}, Progress.NONE)[0];
            }

            @Override
            public void learn(byte[] plain) {}
        };
    }
}
