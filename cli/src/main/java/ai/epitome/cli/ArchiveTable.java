package ai.epitome.cli;

import ai.epitome.compress.Method;
import ai.epitome.compress.archive.ArchiveFile;
import ai.epitome.compress.archive.ArchiveHeader;
import ai.epitome.compress.archive.Summary;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;

/// What archives hold, a line each and their sum.
final class ArchiveTable {
    private static final String HEAD = "%8s %15s %15s %10s  %-18s %s%n";
    private static final String LINE = "%,8d %,15d %,15d %10.4f  %-18s %s%n";

    private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private final boolean verbose;
    private int archives;
    private Summary sum = new Summary(0, 0, 0);

    /// @param verbose with hashes below each line
    ArchiveTable(boolean verbose) {
        this.verbose = verbose;
    }

    void add(String name, ArchiveFile archive) {
        if (archives++ == 0) {
            out.printf(Locale.ROOT, HEAD, "blocks", "archive", "plain", "bits/byte", "method", "name");
        }
        Summary one = archive.summary();
        line(one, archive.header().method().name(), name);
        if (verbose) {
            details(archive);
        }
        sum = new Summary(sum.plain() + one.plain(), sum.archive() + one.archive(), sum.blocks() + one.blocks());
        out.flush();
    }

    private void line(Summary summary, String method, String name) {
        double bits = 8.0 * summary.archive() / Math.max(1, summary.plain());
        out.printf(Locale.ROOT, LINE, summary.blocks(), summary.archive(), summary.plain(), bits, method, name);
    }

    private void details(ArchiveFile archive) {
        ArchiveHeader header = archive.header();
        Method method = header.method();
        detail("SHA-256", archive.sha256());
        detail(
                "blocks",
                String.format(
                        Locale.ROOT,
                        "of %,d bytes, %s, %,d stored",
                        header.blockSize(),
                        header.solid() ? "solid" : "independent",
                        archive.storedBlocks()));
        detail("numerics", method.numerics().name().toLowerCase(Locale.ROOT));
        detail("probe", HexFormat.of().formatHex(header.probe()));
        method.model().ifPresent(model -> {
            detail("model", model.model());
            detail("tokenizer", model.tokenizer());
        });
    }

    private void detail(String name, String value) {
        out.printf("         %-10s %s%n", name, value);
    }

    /// The sum, where there is something to add up.
    void end() {
        if (archives > 1) {
            line(sum, "", "%d archives".formatted(archives));
        }
        out.flush();
    }
}
