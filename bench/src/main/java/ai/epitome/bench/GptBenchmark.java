package ai.epitome.bench;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.Codings;
import ai.epitome.model.huggingface.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// Trained models as predictors of compress, over one text: bits per byte of the codes of blocks, without the 33 bytes
/// around each, by block size; and speed, of encoding, and of decoding by the number of blocks side by side.
///
/// `./epitome bench gpt TEXT MODEL... [--threads N] [--bytes N] [--stream N]`
final class GptBenchmark {
    private static final int[] BLOCKS = {16, 64, 256};
    private static final int[] STREAMS = {1, 8, 48};

    private final byte[] text;
    private final int streamBytes;

    private GptBenchmark(byte[] text, int streamBytes) {
        this.text = text;
        this.streamBytes = streamBytes;
    }

    static void run(Arguments arguments) throws IOException {
        if (arguments.positional(1, "").isEmpty()) {
            throw new IllegalArgumentException("gpt needs a text and models");
        }
        byte[] whole = Files.readAllBytes(Path.of(arguments.positional(0, "")));
        byte[] text = Arrays.copyOf(whole, Math.min(whole.length, arguments.number("--bytes", 1 << 18)));
        GptBenchmark benchmark = new GptBenchmark(text, arguments.number("--stream", 5000));
        int threads = arguments.number("--threads", Runtime.getRuntime().availableProcessors());
        System.out.println("| model | parameters | bits/byte, blocks of 16 kB | 64 kB | 256 kB | encode, kB/s"
                + " | decode 1 block, kB/s | 8 blocks | 48 blocks |");
        System.out.println("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
        for (int i = 1; !arguments.positional(i, "").isEmpty(); i++) {
            Path model = Path.of(arguments.positional(i, ""));
            try (Codings codings = new Codings(Optional.of(model), threads)) {
                benchmark.measure(model, codings.pretrained());
            }
        }
    }

    private void measure(Path model, Coding coding) throws IOException {
        decode(coding, 8, 1000); // the compiler's turn
        StringBuilder row = new StringBuilder();
        row.append("| ").append(model.getFileName());
        row.append(
                String.format(Locale.ROOT, " | %.2fM", ModelFolder.config(model).parameters() / 1e6));
        double encoding = 0;
        for (int kilobytes : BLOCKS) {
            byte[][] blocks = blocks(kilobytes << 10, Integer.MAX_VALUE);
            long began = System.nanoTime();
            byte[][] coded = coding.encode(blocks, Progress.NONE);
            encoding = rate(text.length, began);
            long bytes = Arrays.stream(coded).mapToLong(code -> code.length).sum();
            row.append(String.format(Locale.ROOT, " | %.4f", 8.0 * bytes / text.length));
        }
        row.append(String.format(Locale.ROOT, " | %.1f", encoding));
        for (int streams : STREAMS) {
            row.append(String.format(Locale.ROOT, " | %.1f", decode(coding, streams, streamBytes)));
        }
        System.out.println(row + " |");
    }

    private double decode(Coding coding, int streams, int bytes) {
        byte[][] blocks = blocks(bytes, streams);
        byte[][] coded = coding.encode(blocks, Progress.NONE);
        int[] lengths = Arrays.stream(blocks).mapToInt(block -> block.length).toArray();
        long began = System.nanoTime();
        byte[][] back = coding.decode(coded, lengths, Progress.NONE);
        double rate = rate((long) Arrays.stream(lengths).sum(), began);
        if (!Arrays.deepEquals(back, blocks)) {
            throw new IllegalStateException("blocks came back as others");
        }
        return rate;
    }

    private byte[][] blocks(int size, int most) {
        int count = Math.min(most, (text.length + size - 1) / size);
        byte[][] blocks = new byte[count][];
        Arrays.setAll(blocks, i -> Arrays.copyOfRange(text, i * size, Math.min(text.length, (i + 1) * size)));
        return blocks;
    }

    /// Kilobytes a second.
    private static double rate(long bytes, long began) {
        return bytes / ((System.nanoTime() - began) / 1e6);
    }
}
