package ai.epitome.train.report;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The log of a run, `log.jsonl`: one JSON object a step, appended and handed to the system at once.
///
/// ```
/// {"step":1,"tokens":16384,"seconds":0.41,"loss":4.17,"learning_rate":0.0003,"tokens_per_second":39960.9}
/// {"step":2, ...
/// ```
///
/// Steps rise from line to line, so none appears twice: a run that goes on from a checkpoint first cuts off the steps
/// after it. A process that is killed may leave half a line at the end; readers pass over it. Not safe for use by
/// several threads.
public final class RunLog implements AutoCloseable {
    /// Its name in the folder of a run.
    public static final String FILE = "log.jsonl";
    /// Tokens trained on since the beginning of the run, this step included.
    public static final String TOKENS = "tokens";
    /// Seconds of training since the beginning of the run, this step included.
    public static final String SECONDS = "seconds";
    /// Training loss of the step, natural logarithm, per token.
    public static final String LOSS = "loss";
    /// Training loss of the step in bits per byte of text.
    public static final String BITS_PER_BYTE = "bits_per_byte";
    /// Begins the names of what was measured on held-out data.
    public static final String HELD_OUT = "held_out_";
    /// Bits per byte of the held-out text, on the steps on which it was measured.
    public static final String HELD_OUT_BITS_PER_BYTE = "held_out_bits_per_byte";
    /// The learning rate of the step.
    public static final String LEARNING_RATE = "learning_rate";
    /// Norm of the gradient before clipping.
    public static final String GRADIENT_NORM = "gradient_norm";
    /// Speed of the step.
    public static final String TOKENS_PER_SECOND = "tokens_per_second";

    /// What the model wrote after the step, on the steps on which it was asked to.
    public static final String SAMPLE = "sample";

    private static final String STEP = "step";
    private static final JsonMapper JSON = new JsonMapper();

    /// One step of the log.
    ///
    /// @param step its number
    /// @param values the whole object
    public record Entry(long step, JsonNode values) {
        /// A finite number of this step, or empty where there is none.
        public OptionalDouble number(String name) {
            JsonNode value = values.path(name);
            return value.isNumber() && Double.isFinite(value.asDouble())
                    ? OptionalDouble.of(value.asDouble())
                    : OptionalDouble.empty();
        }

        /// A text of this step, or empty where there is none.
        public Optional<String> text(String name) {
            JsonNode value = values.path(name);
            return value.isString() ? Optional.of(value.asString()) : Optional.empty();
        }
    }

    /// Gets the lines that are whole, one by one.
    @FunctionalInterface
    private interface Lines {
        /// @param begin offset of its first byte
        /// @param end offset of the byte after it
        /// @return whether to go on
        boolean take(Entry entry, long begin, long end);
    }

    private final Path file;
    private final FileChannel channel;
    private ObjectNode last = JSON.createObjectNode().put(STEP, 0);
    private long lastBegin;
    private long end;

    private RunLog(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /// Opens a log to go on after a step; later steps, and half a line at the end, are cut off.
    ///
    /// @param file made if it is not there
    /// @param step the step of the checkpoint, 0 for a new run
    public static RunLog open(Path file, long step) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        RunLog log = new RunLog(file, channel);
        try {
            lines(file, (entry, begin, end) -> {
                boolean kept = entry.step <= step;
                if (kept) {
                    log.last = (ObjectNode) entry.values;
                    log.lastBegin = begin;
                    log.end = end;
                }
                return kept;
            });
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.truncate(log.end);
        return log;
    }

    /// The step of the last line, 0 where there is none.
    public long lastStep() {
        return last.path(STEP).asLong();
    }

    /// Appends a step.
    ///
    /// @param step higher than that of the last line
    /// @param values numbers and strings by name, in the order in which they are to be written
    /// @throws IOException if the line could not be written; later steps may be appended all the same
    public void append(long step, Map<String, ?> values) throws IOException {
        if (step <= lastStep()) {
            throw new IllegalArgumentException("step %d cannot follow step %d in %s".formatted(step, lastStep(), file));
        }
        ObjectNode line = JSON.createObjectNode().put(STEP, step);
        values.forEach((name, value) -> line.set(name, JSON.valueToTree(value)));
        long begin = end;
        write(line, begin);
        last = line;
        lastBegin = begin;
    }

    /// Adds values to the last line, which is written anew.
    public void amend(Map<String, ?> values) throws IOException {
        values.forEach((name, value) -> last.set(name, JSON.valueToTree(value)));
        write(last, lastBegin);
    }

    private void write(ObjectNode json, long begin) throws IOException {
        ByteBuffer line = ByteBuffer.wrap((json + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            channel.truncate(begin); // of what stood there, or half a line of a failed attempt
            channel.position(begin);
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw new IOException("cannot write step %s to %s: %s".formatted(json.path(STEP), file, e), e);
        }
        end = begin + line.limit();
    }

    /// Forces what was appended to the disk, as a checkpoint that refers to it needs.
    public void force() throws IOException {
        channel.force(false);
    }

    /// Reads the log from its beginning, whole lines only. May be called while another thread or process appends.
    ///
    /// @param reader gets one step after the other
    /// @throws IOException if a line before the last is broken, with its offset
    public static void read(Path file, Consumer<Entry> reader) throws IOException {
        lines(file, (entry, _, _) -> {
            reader.accept(entry);
            return true;
        });
    }

    private static void lines(Path file, Lines taker) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        long offset = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            for (int b = in.read(); b >= 0; b = in.read()) {
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                long end = offset + line.size() + 1;
                Entry entry = entry(line.toByteArray());
                if (entry == null && in.read() < 0) {
                    return;
                }
                if (entry == null) {
                    throw new IOException(
                            "%s, byte %d: expected a JSON object with a step, found `%s`; mend or delete the file"
                                    .formatted(file, offset, line.toString(StandardCharsets.UTF_8)));
                }
                if (!taker.take(entry, offset, end)) {
                    return;
                }
                offset = end;
                line.reset();
            }
        }
    }

    private static Entry entry(byte[] line) {
        try {
            JsonNode json = JSON.readTree(line);
            return json.path(STEP).isIntegralNumber()
                    ? new Entry(json.path(STEP).asLong(), json)
                    : null;
        } catch (JacksonException e) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
