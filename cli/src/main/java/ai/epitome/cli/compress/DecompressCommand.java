package ai.epitome.cli.compress;

import ai.epitome.cli.compress.ArchiveOptions.Mode;
import ai.epitome.compress.archive.Codings;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `epitome decompress`: archives become files again.
@Command(
        name = "decompress",
        description = {
            "Decompress archives, each FILE.epi to FILE.",
            "Nothing is released before its checksum holds. What is wrong with an archive is said in a word for"
                    + " programs: NOT_AN_ARCHIVE, UNSUPPORTED_VERSION, MODEL_MISMATCH, NUMERICS_MISMATCH, TRUNCATED,"
                    + " CORRUPT. Exit codes: 0 done, 1 something failed, 2 something was skipped or lost."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome decompress -c book.txt.epi | less"})
public final class DecompressCommand implements Callable<Integer> {
    @Mixin
    private ArchiveOptions options;

    @Override
    public Integer call() throws IOException {
        try (Codings codings = options.codings()) {
            return new ArchiveWork(options, codings::of, Optional.empty()).run(options.mode(Mode.DECOMPRESS));
        }
    }
}
