package ai.epitome.cli.compress;

import ai.epitome.cli.compress.ArchiveOptions.Mode;
import ai.epitome.cli.terminal.Failures;
import ai.epitome.cli.terminal.StatusLine;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.compress.Coding;
import ai.epitome.compress.archive.ArchiveFile;
import ai.epitome.compress.archive.ArchiveHeader;
import ai.epitome.compress.archive.ArchiveReader;
import ai.epitome.compress.archive.ArchiveWriter;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Recovery;
import ai.epitome.compress.archive.Summary;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// What `compress` and `decompress` do with each file. One that fails does not keep the others from it.
final class ArchiveWork {
    private static final int FAILED = 1;
    private static final int WARNED = 2;

    /// Finds what an archive asks for.
    @FunctionalInterface
    interface Reading {
        Coding of(ArchiveHeader header) throws IOException;
    }

    /// Chooses how a file is compressed.
    @FunctionalInterface
    interface Choice {
        /// @param length of what is compressed, where it is known
        Coding of(OptionalLong length) throws IOException;
    }

    /// How files are compressed.
    record Writing(Choice coding, Layout layout) {}

    private final ArchiveOptions options;
    private final Reading reading;
    private final Optional<Writing> writing;
    private final ArchiveFiles files;
    private final ArchiveTable table;
    private final StatusLine status;

    /// @param writing absent where nothing is compressed
    ArchiveWork(ArchiveOptions options, Reading reading, Optional<Writing> writing) {
        this.options = options;
        this.reading = reading;
        this.writing = writing;
        files = new ArchiveFiles(options.places());
        table = new ArchiveTable(options.verbose(), options.json());
        status = new StatusLine(System.err, Terminal.errorIsOne() && options.showsWarnings());
    }

    /// Does it with all files and returns the exit code: 0 done, 1 something failed, 2 there was a warning.
    int run(Mode mode) {
        List<String> names = options.files();
        if (mode == Mode.COMPRESS && options.places().standardOutput() && names.size() > 1) {
            throw new IllegalArgumentException(
                    ("an archive holds one file, and %d were given with --stdout: compress them one by one, or pack"
                                    + " them with tar")
                            .formatted(names.size()));
        }
        int code = 0;
        for (String name : names) {
            int result = run(mode, name);
            code = code == FAILED || result == FAILED ? FAILED : Math.max(code, result);
        }
        if (mode == Mode.LIST) {
            table.end();
        }
        return code;
    }

    private int run(Mode mode, String name) {
        try {
            switch (mode) {
                case COMPRESS -> files.compress(name, (in, length, out) -> compress(name, in, length, out));
                case DECOMPRESS -> files.decompress(name, (in, length, out) -> decompress(name, in, length, out));
                case TEST -> test(name);
                case LIST -> list(name);
                case RECOVER -> recover(name);
            }
            return 0;
        } catch (Warning e) {
            if (options.showsWarnings()) {
                say(name, e.getMessage());
            }
            return WARNED;
        } catch (IOException | IllegalArgumentException | IllegalStateException | OutOfMemoryError e) {
            // what a file of several, or its model, makes fail does not stop the next one
            if (options.showsErrors()) {
                say(name, Failures.describe(e));
            }
            return FAILED;
        }
    }

    private void say(String name, String message) {
        status.line("epitome: %s: %s".formatted(ArchiveFiles.title(name), message));
    }

    private void compress(String name, InputStream in, OptionalLong length, OutputStream out) throws IOException {
        Writing how = writing.orElseThrow();
        try (Coding coding = how.coding().of(length);
                BlockProgress progress = new BlockProgress(status, ArchiveFiles.title(name), true, length)) {
            ArchiveWriter writer = new ArchiveWriter(coding, how.layout(), options.threads());
            Summary summary = writer.write(in, length, out, progress);
            sizes(name, summary, progress.seconds());
        }
    }

    private void decompress(String name, InputStream in, OptionalLong length, OutputStream out) throws IOException {
        ArchiveReader reader = new ArchiveReader(in);
        try (Coding coding = reading.of(reader.header());
                BlockProgress progress = new BlockProgress(status, ArchiveFiles.title(name), false, length)) {
            Summary summary = reader.decode(coding, options.threads(), out, progress);
            sizes(name, summary, progress.seconds());
        }
    }

    private void sizes(String name, Summary summary, double seconds) {
        if (options.verbose()) {
            status.line(String.format(
                    Locale.ROOT,
                    "%s: %,d bytes, as an archive %,d (%.4f bits per byte), %.1f s",
                    ArchiveFiles.title(name),
                    summary.plain(),
                    summary.archive(),
                    8.0 * summary.archive() / Math.max(1, summary.plain()),
                    seconds));
        }
    }

    private void test(String name) throws IOException {
        files.refuseTerminal(name);
        OptionalLong length =
                name.equals(ArchiveFiles.STANDARD) ? OptionalLong.empty() : ArchiveFiles.length(Path.of(name));
        try (InputStream in = ArchiveFiles.open(name)) {
            decompress(name, in, length, OutputStream.nullOutputStream());
        }
    }

    private void list(String name) throws IOException {
        requireFile(name, "--list");
        try (ArchiveFile archive = ArchiveFile.open(Path.of(name))) {
            table.add(name, archive);
        }
    }

    private static void requireFile(String name, String option) throws IOException {
        if (name.equals(ArchiveFiles.STANDARD)) {
            throw new IOException(option + " wants files: it looks at their end first");
        }
        if (Files.isDirectory(Path.of(name))) {
            throw new Warning("it is a folder: skipped");
        }
    }

    private void recover(String name) throws IOException {
        requireFile(name, "--recover");
        ArchiveFiles.Places kept = new ArchiveFiles.Places(
                options.places().standardOutput(), options.places().force(), true);
        List<String> lost = new ArrayList<>();
        new ArchiveFiles(kept).decompress(name, (_, _, out) -> lost.addAll(recover(Path.of(name), out)));
        if (!lost.isEmpty()) {
            throw new Warning(lost.stream().collect(Collectors.joining("; ", "saved what was whole. Lost: ", "")));
        }
    }

    private List<String> recover(Path file, OutputStream out) throws IOException {
        try (Recovery recovery = new Recovery(file);
                Coding coding = reading.of(recovery.header())) {
            Recovery.Result result = recovery.recover(coding, options.threads(), out);
            long size = recovery.header().blockSize();
            return result.losses().stream().map(loss -> describe(loss, size)).toList();
        }
    }

    private static String describe(Recovery.Loss loss, long size) {
        long first = loss.first();
        if (loss.last().isEmpty()) {
            return "whatever followed byte %,d".formatted(first * size);
        }
        long last = loss.last().getAsLong();
        String blocks = first == last ? "block " + first : "blocks %d to %d".formatted(first, last);
        return "%s, from byte %,d to before byte %,d".formatted(blocks, first * size, (last + 1) * size);
    }
}
