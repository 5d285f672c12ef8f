package ai.epitome.cli.compress;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.compress.Method;
import ai.epitome.compress.archive.ArchiveFile;
import ai.epitome.compress.archive.ArchiveHeader;
import ai.epitome.compress.archive.Summary;
import java.io.PrintStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.Set;

/// What archives hold, a line each and their sum.
final class ArchiveTable {
    private static final String HEAD = "%8s %15s %15s %10s  %-18s %s%n";
    private static final String LINE = "%,8d %,15d %,15d %10.4f  %-18s %s%n";

    private static final Set<String> IN_LINE = Set.of("name", "method", "plain_bytes", "archive_bytes", "blocks");

    private final PrintStream out = StandardText.output();
    private final boolean verbose;
    private final boolean json;
    private int archives;
    private Summary sum = new Summary(0, 0, 0);

    /// @param verbose with hashes below each line
    /// @param json for programs, with all of it
    ArchiveTable(boolean verbose, boolean json) {
        this.verbose = verbose;
        this.json = json;
    }

    void add(String name, ArchiveFile archive) {
        if (json) {
            out.println(Json.write(facts(name, archive)));
            out.flush();
            return;
        }
        if (archives++ == 0) {
            out.printf(Locale.ROOT, HEAD, "blocks", "archive", "plain", "bits/byte", "method", "name");
        }
        Summary one = archive.summary();
        line(one, archive.header().method().name(), name);
        if (verbose) {
            facts(name, archive).entrySet().stream()
                    .filter(fact -> !IN_LINE.contains(fact.getKey()))
                    .forEach(fact -> out.printf("         %-16s %s%n", fact.getKey(), fact.getValue()));
        }
        sum = new Summary(sum.plain() + one.plain(), sum.archive() + one.archive(), sum.blocks() + one.blocks());
        out.flush();
    }

    private static SequencedMap<String, Object> facts(String name, ArchiveFile archive) {
        ArchiveHeader header = archive.header();
        Method method = header.method();
        SequencedMap<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", name);
        facts.put("method", method.name());
        facts.put("plain_bytes", archive.summary().plain());
        facts.put("archive_bytes", archive.summary().archive());
        facts.put("blocks", archive.summary().blocks());
        facts.put("stored_blocks", archive.storedBlocks());
        facts.put("block_bytes", header.blockSize());
        facts.put("solid", header.solid());
        facts.put("sha256", archive.sha256());
        facts.put("numerics", method.numerics().name().toLowerCase(Locale.ROOT));
        facts.put("probe", HexFormat.of().formatHex(header.probe()));
        method.model().ifPresent(model -> {
            facts.put("model", model.model());
            facts.put("tokenizer", model.tokenizer());
        });
        return facts;
    }

    private void line(Summary summary, String method, String name) {
        double bits = 8.0 * summary.archive() / Math.max(1, summary.plain());
        out.printf(Locale.ROOT, LINE, summary.blocks(), summary.archive(), summary.plain(), bits, method, name);
    }

    /// The sum, where there is something to add up.
    void end() {
        if (archives > 1) {
            line(sum, "", "%d archives".formatted(archives));
        }
        out.flush();
    }
}
