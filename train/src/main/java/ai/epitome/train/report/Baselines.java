package ai.epitome.train.report;

import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.HeldOut;
import ai.epitome.train.data.SplitReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What the usual compressors pay for the held-out text, in bits per byte: the lines that a learning curve falls past.
///
/// Each is measured in two ways: on the held-out text *alone*, and *given the training text*, as
/// `size(training + heldOut) - size(training)`. The second is the fair counterpart of a model that was trained on it,
/// within what the compressor can remember: gzip 32 KiB, bzip2 one block of 900 kB, zstd -19 8 MiB, xz -9e 64 MiB.
///
/// @param trainingBytes bytes of training text there are
/// @param trainingUsed how many of them, the last ones, were given to the compressors
/// @param heldOutBytes bytes of held-out text there are
/// @param heldOutUsed how many of them, the first ones, were compressed
/// @param lines one for each compressor
public record Baselines(long trainingBytes, long trainingUsed, long heldOutBytes, long heldOutUsed, List<Line> lines) {
    /// At most this much training text, and this much held-out text, is compressed.
    public static final int MOST_BYTES = 8 << 20;

    private static final JsonMapper JSON = new JsonMapper();

    /// One compressor's sizes.
    ///
    /// @param name as one would call it, `bzip2 -9`
    /// @param aloneBytes size of the held-out text compressed alone
    /// @param givenTrainingBytes what the held-out text adds to the compressed training text
    /// @param alone the same in bits per byte of held-out text
    /// @param givenTraining the same in bits per byte of held-out text
    public record Line(String name, long aloneBytes, long givenTrainingBytes, double alone, double givenTraining) {}

    public Baselines {
        lines = List.copyOf(lines);
    }

    /// Reads the baselines of a split from a file, or measures them and writes that file.
    ///
    /// @param corpus the text
    /// @param rule which text is held out
    /// @param file where they are kept; belongs to this text and rule alone, as the folder of a dataset does
    /// @param threads how many compressors run at a time
    public static Baselines of(Corpus corpus, HeldOut rule, Path file, int threads) throws IOException {
        if (Files.exists(file)) {
            try {
                return fromJson(JSON.readTree(Files.readString(file)));
            } catch (JacksonException | IllegalArgumentException e) {
                // Half a file, or one of an older version: measured again below.
                Files.delete(file);
            }
        }
        Baselines measured = measure(corpus, rule, MOST_BYTES, threads);
        Path part = file.resolveSibling(
                file.getFileName() + ".part-" + ProcessHandle.current().pid());
        Files.writeString(part, measured.toJson().toPrettyString() + "\n");
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return measured;
    }

    static Baselines measure(Corpus corpus, HeldOut rule, int most, int threads) throws IOException {
        Tail training = new Tail(most);
        ByteArrayOutputStream heldOut = new ByteArrayOutputStream();
        long heldOutBytes = 0;
        try (SplitReader reader = rule.open(corpus)) {
            for (SplitReader.Piece piece = reader.next(); piece != null; piece = reader.next()) {
                byte[] text = piece.text();
                if (piece.heldOut()) {
                    heldOutBytes += text.length;
                    heldOut.write(text, 0, Math.min(text.length, most - heldOut.size()));
                } else {
                    training.add(text);
                }
            }
        }
        byte[] given = training.bytes();
        byte[] measured = heldOut.toByteArray();
        return new Baselines(
                training.total, given.length, heldOutBytes, measured.length, measure(given, measured, threads));
    }

    /// Compresses texts in memory.
    ///
    /// @param training may be empty; both sizes are then those alone
    /// @param heldOut must not be empty
    public static List<Line> measure(byte[] training, byte[] heldOut, int threads) throws IOException {
        if (heldOut.length == 0) {
            throw new IllegalArgumentException("there is no held-out text to measure");
        }
        byte[] both = new byte[training.length + heldOut.length];
        System.arraycopy(training, 0, both, 0, training.length);
        System.arraycopy(heldOut, 0, both, training.length, heldOut.length);
        List<byte[]> texts = training.length == 0 ? List.of(heldOut) : List.of(heldOut, training, both);
        Map<Compressor, List<Future<Long>>> sizes = new EnumMap<>(Compressor.class);
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("baseline-", 0).factory());
        try {
            for (Compressor compressor : Compressor.values()) {
                sizes.put(
                        compressor,
                        texts.stream()
                                .map(text -> pool.submit(() -> compressor.size(text)))
                                .toList());
            }
            List<Line> lines = new ArrayList<>();
            for (Compressor compressor : Compressor.values()) {
                List<Future<Long>> of = sizes.get(compressor);
                long alone = of.get(0).get();
                long given = training.length == 0
                        ? alone
                        : of.get(2).get() - of.get(1).get();
                double bitsPerByte = 8.0 / heldOut.length;
                lines.add(new Line(compressor.title(), alone, given, alone * bitsPerByte, given * bitsPerByte));
            }
            return lines;
        } catch (ExecutionException e) {
            throw new IOException("cannot measure the baselines: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while measuring the baselines", e);
        } finally {
            pool.shutdownNow();
        }
    }

    /// One sentence on what was compressed.
    public String description() {
        return format(
                "Compressors were given %s of the training text before %s of the held-out text.",
                trainingUsed == trainingBytes
                        ? format("all %,d bytes", trainingBytes)
                        : format("the last %,d of %,d bytes", trainingUsed, trainingBytes),
                heldOutUsed == heldOutBytes
                        ? format("all %,d bytes", heldOutBytes)
                        : format("the first %,d of %,d bytes", heldOutUsed, heldOutBytes));
    }

    /// The fields by their names, in snake case.
    public ObjectNode toJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("training_bytes", trainingBytes)
                .put("training_bytes_used", trainingUsed)
                .put("held_out_bytes", heldOutBytes)
                .put("held_out_bytes_used", heldOutUsed)
                .put("description", description());
        ArrayNode array = json.putArray("lines");
        for (Line line : lines) {
            array.addObject()
                    .put("name", line.name)
                    .put("alone_bytes", line.aloneBytes)
                    .put("given_training_bytes", line.givenTrainingBytes)
                    .put("alone", line.alone)
                    .put("given_training", line.givenTraining);
        }
        return json;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    /// Reads what [#toJson] made.
    ///
    /// @throws IllegalArgumentException if it is something else
    public static Baselines fromJson(JsonNode json) {
        List<Line> lines = json.path("lines")
                .valueStream()
                .map(line -> new Line(
                        line.path("name").asString(""),
                        line.path("alone_bytes").asLong(0),
                        line.path("given_training_bytes").asLong(0),
                        line.path("alone").asDouble(0),
                        line.path("given_training").asDouble(0)))
                .toList();
        if (lines.size() != Compressor.values().length
                || json.path("held_out_bytes_used").asLong(0) < 1) {
            throw new IllegalArgumentException(
                    format("expected baselines of %d compressors, found %d", Compressor.values().length, lines.size()));
        }
        return new Baselines(
                json.path("training_bytes").asLong(0),
                json.path("training_bytes_used").asLong(0),
                json.path("held_out_bytes").asLong(0),
                json.path("held_out_bytes_used").asLong(0),
                lines);
    }

    /// The last bytes of what is added: the text nearest to what is compressed after it.
    private static final class Tail {
        private final ArrayDeque<byte[]> pieces = new ArrayDeque<>();
        private final int most;
        private long kept;
        private long total;

        Tail(int most) {
            this.most = most;
        }

        void add(byte[] text) {
            pieces.add(text);
            kept += text.length;
            total += text.length;
            while (kept - pieces.peek().length >= most) {
                kept -= pieces.remove().length;
            }
        }

        byte[] bytes() {
            byte[] bytes = new byte[(int) Math.min(kept, most)];
            int skip = (int) (kept - bytes.length);
            int at = 0;
            for (byte[] piece : pieces) {
                System.arraycopy(piece, skip, bytes, at, piece.length - skip);
                at += piece.length - skip;
                skip = 0;
            }
            return bytes;
        }
    }
}
