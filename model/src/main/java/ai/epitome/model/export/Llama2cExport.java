package ai.epitome.model.export;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleConsumer;

/// A model as a checkpoint of llama2.c, version 0, drawn at [ai.epitome.model.llama2c.Llama2cCheckpoint]; its
/// vocabulary goes beside it, as `tokenizer.bin`. The program computes one kind of model only: Llama's, with 10,000 as
/// the base of rotations and 1e-5 in norms.
public final class Llama2cExport {
    /// The name of the vocabulary beside a checkpoint.
    public static final String TOKENIZER = "tokenizer.bin";

    private final StoredModel model;
    private final TransformerConfig config;

    private Llama2cExport(StoredModel model) {
        this.model = model;
        this.config = model.config();
    }

    /// Writes `file` and its vocabulary, each whole or not at all.
    ///
    /// @param progress hears which part has been written; what it throws ends the work
    /// @throws IllegalArgumentException if llama2.c computes other models, or reads other tokenizers
    public static Exported write(StoredModel model, Path file, DoubleConsumer progress) throws IOException {
        Llama2cExport export = new Llama2cExport(model);
        export.requireLlama();
        Optional<byte[]> vocabulary = model.tokenizer()
                .map(own -> Tokenizers.toLlama2c(own, model.config().vocabulary()));
        List<String> notes = new ArrayList<>();
        if (vocabulary.isPresent()) {
            Path beside = file.toAbsolutePath().resolveSibling(TOKENIZER);
            if (Files.exists(beside) && !Arrays.equals(Files.readAllBytes(beside), vocabulary.get())) {
                throw new IllegalArgumentException(
                        "%s is another vocabulary already; write the checkpoint to a folder of its own"
                                .formatted(beside));
            }
            AtomicFile.write(beside, channel -> RowEncoding.write(channel, ByteBuffer.wrap(vocabulary.get())));
            notes.add("the vocabulary is in " + beside);
        } else {
            notes.add("the model has no tokenizer, without which llama2.c does not run");
        }
        AtomicFile.write(file, channel -> export.write(channel, progress));
        return new Exported(
                notes, Exported.count(Collections.nCopies(model.weights().size(), BlockFormat.F32)));
    }

    private void requireLlama() {
        require(
                Layout.of(config) == Layout.LLAMA && config.biases() == TransformerConfig.Biases.NONE,
                "of Llama's layout without biases, norms of queries and keys, and windows, not of "
                        + Layout.of(config).modelType() + "'s");
        require(
                config.heads() * config.headDimension() == config.width(),
                "whose %d heads of %d channels make its width of %d"
                        .formatted(config.heads(), config.headDimension(), config.width()));
        require(
                config.position().equals(new Position.Rotary(10_000)),
                "with a rotary base of 10000 and no scaling, not " + config.position());
        require(config.normEpsilon() == 1e-5f, "with 1e-5 in norms, not " + config.normEpsilon());
    }

    private static void require(boolean condition, String models) {
        if (!condition) {
            throw new IllegalArgumentException("llama2.c computes models " + models);
        }
    }

    private void write(FileChannel channel, DoubleConsumer progress) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(7 * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(config.width())
                .putInt(config.hidden())
                .putInt(config.layers())
                .putInt(config.heads())
                .putInt(config.keyValueHeads())
                .putInt(config.tiedHead() ? config.vocabulary() : -config.vocabulary())
                .putInt(config.context());
        RowEncoding.write(channel, header.flip());
        long values = model.weights().stream()
                .mapToLong(weight -> weight.shape().values())
                .sum();
        Content content = new Content(channel, new RowEncoding(values, progress));
        content.each("embed_tokens.weight");
        content.each("input_layernorm.weight");
        for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
            content.each("self_attn." + name + ".weight");
        }
        content.each("post_attention_layernorm.weight");
        for (String name : List.of("gate_proj", "down_proj", "up_proj")) {
            content.each("mlp." + name + ".weight");
        }
        content.each("model.norm.weight");
        content.rotations();
        content.each("lm_head.weight");
    }

    /// The file behind its header.
    private final class Content {
        private final FileChannel channel;
        private final RowEncoding rows;

        Content(FileChannel channel, RowEncoding rows) {
            this.channel = channel;
            this.rows = rows;
        }

        /// The weights whose names end so, of all layers.
        void each(String ending) throws IOException {
            for (StoredWeight weight : model.weights()) {
                if (weight.name().endsWith(ending)) {
                    boolean turned = RotaryRows.turns(weight.name());
                    rows.write(
                            channel,
                            turned ? weight.reordered(row -> RotaryRows.halves(row, config.headDimension())) : weight,
                            BlockFormat.F32);
                }
            }
        }

        /// Cosines, then sines, of each position and pair, which the program reads over.
        void rotations() throws IOException {
            float[] frequencies = new RotaryScaling.None().inverseFrequencies(10_000, config.headDimension());
            ByteBuffer table =
                    ByteBuffer.allocate(frequencies.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (boolean sine : new boolean[] {false, true}) {
                for (int position = 0; position < config.context(); position++) {
                    for (float frequency : frequencies) {
                        double angle = (double) position * frequency;
                        table.putFloat((float) (sine ? Math.sin(angle) : Math.cos(angle)));
                    }
                    RowEncoding.write(channel, table.flip());
                    table.clear();
                }
            }
        }
    }
}
