package ai.epitome.compress.gpt;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.gpt.BlockStream.Decoding;
import ai.epitome.compress.gpt.BlockStream.Encoding;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.MalformedModelException;
import ai.epitome.model.ModelFolder;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntUnaryOperator;

/// Coding of blocks with a trained model's predictions of their tokens. Blocks are independent of each other; as many
/// as [#group] go through the model side by side and share each reading of its weights. How they are grouped changes
/// no bit.
public final class GptCoding implements Coding {
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
    private final Frequencies[] frequencies = new Frequencies[ExactTransformer.MOST_ROWS];

    /// @param model weights and tokenizer; may be closed afterwards
    /// @param hashes what an archive keeps of it
    /// @param context tokens that a prediction sees at most
    /// @throws IllegalArgumentException when there are bytes that its tokens cannot stand for
    public GptCoding(LoadedModel model, ModelHashes hashes, int context, Workers workers, ExactKernels kernels) {
        tokenizer = model.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no tokenizer.json, so nobody knows which bytes its tokens stand for"));
        tokens = LosslessTokens.of(tokenizer);
        this.workers = workers;
        this.kernels = kernels;
        transformer = new ExactTransformer(model.transformer(), context, workers, kernels);
        start = tokenizer.endOfText();
        symbols = tokenizer.kind().equals("byte") ? BYTES : tokenizer.vocabularySize();
        byte[] settings = ByteBuffer.allocate(5).put(FORMAT).putInt(context).array();
        method = new Method(false, false, Optional.of(hashes), Method.Numerics.EXACT, settings);
    }

    /// A model folder as a coding for new archives.
    ///
    /// @param hashes of the folder
    /// @throws IOException when it is no whole model, or its tokens cannot stand for all bytes
    public static GptCoding open(Path folder, ModelHashes hashes, Workers workers) throws IOException {
        return open(folder, hashes, most -> most, workers);
    }

    /// A model folder as the coding of an archive that says `method`.
    ///
    /// @throws MalformedCodeException when the method's settings are none of this class
    public static GptCoding open(Path folder, Method method, Workers workers) throws IOException {
        byte[] settings = method.settings();
        if (settings.length != 5 || settings[0] != FORMAT) {
            throw new MalformedCodeException("settings %s of a trained model, expected format %d and a context"
                    .formatted(HexFormat.of().formatHex(settings), FORMAT));
        }
        int context = ByteBuffer.wrap(settings).getInt(1);
        return open(folder, method.model().orElseThrow(), most -> context(context, most), workers);
    }

    private static int context(int context, int most) {
        if (context < 2 || context > most) {
            throw new MalformedCodeException(
                    "settings with a context of %d, expected 2 to %d".formatted(context, most));
        }
        return context;
    }

    /// @param context given the longest one
    private static GptCoding open(Path folder, ModelHashes hashes, IntUnaryOperator context, Workers workers)
            throws IOException {
        try (LoadedModel model = ModelFolder.load(folder)) {
            int most = Math.min(MOST_CONTEXT, model.transformer().config().context());
            return new GptCoding(model, hashes, context.applyAsInt(most), workers, ExactKernels.best());
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(folder, e.getMessage(), e);
        }
    }

    @Override
    public Method method() {
        return method;
    }

    @Override
    public int group() {
        return Math.clamp(CACHE_BYTES / transformer.sequenceBytes(), 1, MOST_GROUP);
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
            digest(frequencies(row, logits, row), digest);
        }
        transformer.read(rows, new int[] {1 % symbols}, 1);
        digest(frequencies(0, transformer.logits(0, 1), 0), digest);
        return Arrays.copyOf(digest.digest(), PROBE_BYTES);
    }

    private static void digest(Frequencies frequencies, MessageDigest digest) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * frequencies.values().length);
        bytes.asIntBuffer().put(frequencies.values());
        digest.update(bytes);
    }

    @Override
    public byte[][] encode(byte[][] blocks) {
        List<Encoding> streams = new ArrayList<>();
        for (int i = 0; i < blocks.length; i++) {
            Encoding stream = new Encoding(sequence(i), start, tokens.encode(blocks[i]));
            if (start.isEmpty() && stream.length() > 0) {
                Frequencies uniform = uniform();
                code(stream, uniform, stream.token(0));
            }
            streams.add(stream);
        }
        int[] predicted = new int[ExactTransformer.MOST_ROWS];
        pass(streams, (stream, row) -> predicted[row] = stream.predicted(), (rows, logits) -> {
            workers.run(rows.size(), (row, _) -> frequencies(row, logits, row));
            for (int row = 0; row < rows.size(); row++) { // a stream's rows in order
                code(rows.get(row), frequencies[row], predicted[row]);
            }
        });
        return streams.stream().map(stream -> stream.encoder.finish()).toArray(byte[][]::new);
    }

    private static void code(Encoding stream, Frequencies frequencies, int symbol) {
        stream.encoder.symbol(frequencies.cumulative(symbol), frequencies.frequency(symbol), Frequencies.TOTAL_BITS);
    }

    @Override
    public byte[][] decode(byte[][] coded, int[] lengths) {
        List<Decoding> streams = new ArrayList<>();
        for (int i = 0; i < coded.length; i++) {
            Decoding stream = new Decoding(sequence(i), start, tokenizer::token, coded[i], lengths[i]);
            if (start.isEmpty() && stream.unfinished()) {
                stream.take(uniform());
            }
            streams.add(stream);
        }
        pass(
                streams,
                (_, _) -> {},
                (rows, logits) ->
                        workers.run(rows.size(), (row, _) -> rows.get(row).take(frequencies(row, logits, row))));
        return streams.stream().map(stream -> stream.plain).toArray(byte[][]::new);
    }

    /// What is done with the rows of a pass.
    @FunctionalInterface
    private interface Predictions<S> {
        void accept(List<S> rows, float[] logits);
    }

    /// What is noted of a stream when it has given the token of a row.
    @FunctionalInterface
    private interface RowNote<S> {
        void accept(S stream, int row);
    }

    /// Reads all streams to their ends, side by side.
    private <S extends BlockStream> void pass(List<S> all, RowNote<S> note, Predictions<S> predictions) {
        for (int first = 0; first < all.size(); first += ExactTransformer.MOST_ROWS) {
            List<S> streams = all.subList(first, Math.min(all.size(), first + ExactTransformer.MOST_ROWS));
            List<S> active = unfinished(streams);
            while (!active.isEmpty()) {
                transformer.makeRoom(sequences(active));
                List<S> rows = new ArrayList<>();
                int[] tokens = new int[ExactTransformer.MOST_ROWS];
                for (S stream : active) {
                    int room = transformer.context() - stream.sequence.length();
                    int count = stream.readable(Math.min(room, ExactTransformer.MOST_ROWS / active.size()));
                    for (int i = 0; i < count; i++) {
                        tokens[rows.size()] = stream.next();
                        note.accept(stream, rows.size());
                        rows.add(stream);
                    }
                }
                transformer.read(sequences(rows), tokens, rows.size());
                predictions.accept(rows, transformer.logits(0, rows.size()));
                active = unfinished(streams);
            }
        }
    }

    private static <S extends BlockStream> List<S> unfinished(List<S> streams) {
        return streams.stream().filter(BlockStream::unfinished).toList();
    }

    private static ExactSequence[] sequences(List<? extends BlockStream> streams) {
        return streams.stream().map(stream -> stream.sequence).toArray(ExactSequence[]::new);
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

    private Frequencies uniform() {
        Frequencies uniform = new Frequencies(symbols);
        uniform.setUniform();
        return uniform;
    }

    /// Blocks one at a time; each begins anew.
    @Override
    public BlockCodec newCodec() {
        return new BlockCodec() {
            @Override
            public byte[] encode(byte[] plain) {
                return GptCoding.this.encode(new byte[][] {plain})[0];
            }

            @Override
            public byte[] decode(byte[] coded, int length) {
                return GptCoding.this.decode(new byte[][] {coded}, new int[] {length})[0];
            }

            @Override
            public void learn(byte[] plain) {}
        };
    }
}
